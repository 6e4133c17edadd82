package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// store is the storage behind the library. Every object is two files in its bucket's folder: a content file, and a record
// that names it. The record is put in place by a rename, so that an object is replaced whole or not at all, also when this
// process is killed. Records are held in memory; contents never are.
type store struct {
	directory string

	// mu guards what follows. It is not held while contents are copied.
	mu      sync.RWMutex
	buckets map[string]*bucket
	uploads map[gofakes3.UploadID]*upload
}

var (
	_ gofakes3.Backend          = (*store)(nil)
	_ gofakes3.MultipartBackend = (*store)(nil)
)

type bucket struct {
	directory string
	created   time.Time
	objects   map[string]*record
	// keys are the sorted keys of objects, or nil when they changed since the last listing.
	keys []string
}

// sorted returns the keys in S3's order: that of their bytes.
func (b *bucket) sorted() []string {
	if b.keys == nil {
		b.keys = slices.Sorted(maps.Keys(b.objects))
	}
	return b.keys
}

// openStore reads the buckets and records in directory, and removes what an earlier run left unfinished.
func openStore(directory string) (*store, error) {
	s := &store{directory: directory, buckets: map[string]*bucket{}, uploads: map[gofakes3.UploadID]*upload{}}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of the objects: %w", err)
	}
	folders, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("reading the directory of the objects: %w", err)
	}
	for _, folder := range folders {
		if !folder.IsDir() || gofakes3.ValidateBucketName(folder.Name()) != nil {
			continue
		}
		b, err := openBucket(filepath.Join(directory, folder.Name()))
		if err != nil {
			return nil, err
		}
		s.buckets[folder.Name()] = b
	}
	return s, nil
}

func openBucket(directory string) (*bucket, error) {
	info, err := os.Stat(directory)
	if err != nil {
		return nil, fmt.Errorf("opening a bucket: %w", err)
	}
	b := &bucket{directory: directory, created: info.ModTime(), objects: map[string]*record{}}
	files, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("opening a bucket: %w", err)
	}
	used := map[string]bool{}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), recordSuffix) {
			continue
		}
		path := filepath.Join(directory, file.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("opening a bucket: %w", err)
		}
		var r record
		if err := json.Unmarshal(data, &r); err != nil {
			return nil, fmt.Errorf("reading the record %s: %w (remove the directory to begin anew)", path, err)
		}
		b.objects[r.Key] = &r
		used[file.Name()], used[r.File] = true, true
	}
	for _, file := range files {
		if !used[file.Name()] {
			if err := os.RemoveAll(filepath.Join(directory, file.Name())); err != nil {
				return nil, fmt.Errorf("cleaning a bucket: %w", err)
			}
		}
	}
	return b, nil
}

// bucket returns a bucket, or NoSuchBucket. The caller holds the lock.
func (s *store) bucket(name string) (*bucket, error) {
	if b := s.buckets[name]; b != nil {
		return b, nil
	}
	return nil, gofakes3.BucketNotFound(name)
}

// ListBuckets lists all buckets by name.
func (s *store) ListBuckets() ([]gofakes3.BucketInfo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	infos := []gofakes3.BucketInfo{}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		infos = append(infos, gofakes3.BucketInfo{Name: name, CreationDate: gofakes3.NewContentTime(s.buckets[name].created)})
	}
	return infos, nil
}

// CreateBucket makes a bucket; the library has checked its name.
func (s *store) CreateBucket(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	directory := filepath.Join(s.directory, name)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	s.buckets[name] = &bucket{directory: directory, created: time.Now(), objects: map[string]*record{}}
	return nil
}

// BucketExists says whether there is a bucket of this name.
func (s *store) BucketExists(name string) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.buckets[name] != nil, nil
}

// DeleteBucket removes an empty bucket.
func (s *store) DeleteBucket(name string) error { return s.deleteBucket(name, false) }

// ForceDeleteBucket removes a bucket with its objects.
func (s *store) ForceDeleteBucket(name string) error { return s.deleteBucket(name, true) }

func (s *store) deleteBucket(name string, force bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	if len(b.objects) > 0 && !force {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	for id, u := range s.uploads {
		if u.bucket == name {
			delete(s.uploads, id)
		}
	}
	delete(s.buckets, name)
	return os.RemoveAll(b.directory)
}

// isNotThere says that a file is gone, which is what a removal wants.
func isNotThere(err error) bool { return errors.Is(err, os.ErrNotExist) }
