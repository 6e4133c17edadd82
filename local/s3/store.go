package s3

import (
	"cmp"
	"encoding/base64"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/spf13/afero"
)

// checksumHeader stands in the metadata of every object, which become headers of a response. SDKs verify it.
const checksumHeader = "X-Amz-Checksum-Crc32"

// longestKey is the longest key in bytes: the library makes a file name of at most 255 of the key, a dash and 32 digits.
const longestKey = 255 - 33

// store is the library's storage with what differs. Contents are never held in memory.
type store struct {
	*s3afero.MultiBucketBackend
	// unfinished holds contents that are not yet an object.
	unfinished string
	// uploads are the metadata (map[string]string) of the uploads in parts, by gofakes3.UploadID.
	uploads sync.Map
}

var _ gofakes3.MultipartBackend = (*store)(nil)

func openStore(directory string) (*store, error) {
	files, err := s3afero.FsPath(directory, s3afero.FsPathCreateAll)
	if err != nil {
		return nil, err
	}
	backend, err := s3afero.MultiBucket(replacing{files})
	if err != nil {
		return nil, err
	}
	s := &store{MultiBucketBackend: backend, unfinished: filepath.Join(directory, "unfinished")}
	if err := os.RemoveAll(s.unfinished); err != nil {
		return nil, err
	}
	return s, os.MkdirAll(s.unfinished, 0o700)
}

// replacing makes a new file where the library would empty the old one, which may be being read.
type replacing struct{ afero.Fs }

func (r replacing) Create(name string) (afero.File, error) {
	if err := r.Remove(name); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return r.Fs.Create(name)
}

// PutObject stores an object of the given size. The library locks its whole storage while it copies, and leaves half an
// object when the input fails, so the input is taken in first.
func (s *store) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	if len(key) > longestKey {
		return gofakes3.PutObjectResult{}, gofakes3.ErrorMessagef(gofakes3.ErrKeyTooLong, "The key has %d bytes; the local S3 takes at most %d.", len(key), longestKey)
	}
	file, err := os.CreateTemp(s.unfinished, "object-*")
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	sum := crc32.NewIEEE()
	written, err := io.Copy(io.MultiWriter(file, sum), input)
	if err == nil && written != size {
		err = gofakes3.ErrIncompleteBody
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	kept := map[string]string{checksumHeader: base64.StdEncoding.EncodeToString(sum.Sum(nil))}
	for name, value := range meta {
		if !strings.HasPrefix(name, "X-Amz-") || strings.HasPrefix(name, "X-Amz-Meta-") {
			kept[name] = value
		}
	}
	return s.MultiBucketBackend.PutObject(bucket, key, kept, file, size, conditions)
}

// GetObject opens an object, or a range of it, for reading.
func (s *store) GetObject(bucket, key string, section *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	object, err := s.MultiBucketBackend.GetObject(bucket, key, section)
	if err == nil && object.Range != nil {
		delete(object.Metadata, checksumHeader) // it is that of the whole, and SDKs would refuse the part
	}
	return object, err
}

// ListBucket lists everything in one page, whatever page says. The library's listings are not in the order of the keys,
// which `aws s3 sync` needs, and with a delimiter an unused prefix is an error.
func (s *store) ListBucket(bucket string, prefix *gofakes3.Prefix, _ gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	all, err := s.MultiBucketBackend.ListBucket(bucket, &gofakes3.Prefix{HasPrefix: true, Prefix: prefix.Prefix}, gofakes3.ListBucketPage{})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all.Contents, func(a, b *gofakes3.Content) int { return cmp.Compare(a.Key, b.Key) })
	list := gofakes3.NewObjectList()
	for _, object := range all.Contents {
		var match gofakes3.PrefixMatch
		if prefix.Match(object.Key, &match) && match.CommonPrefix {
			list.AddPrefix(match.MatchedPart)
		} else {
			list.Add(object)
		}
	}
	return list, nil
}
