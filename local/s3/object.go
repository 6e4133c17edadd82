package s3

import (
	"crypto/md5"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// HeadObject returns an object without its content.
func (s *store) HeadObject(bucketName, key string) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, err := s.record(bucketName, key)
	if err != nil {
		return nil, err
	}
	return r.object(true), nil
}

func (s *store) record(bucketName, key string) (*record, error) {
	b, err := s.bucket(bucketName)
	if err != nil {
		return nil, err
	}
	if r := b.objects[key]; r != nil {
		return r, nil
	}
	return nil, gofakes3.KeyNotFound(key)
}

// GetObject opens an object, or a range of it, for reading.
func (s *store) GetObject(bucketName, key string, request *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	// The file is opened under the lock: a replacement may remove it right afterwards, and the reader keeps what it opened.
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, err := s.record(bucketName, key)
	if err != nil {
		return nil, err
	}
	section, err := request.Range(r.Size)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(s.buckets[bucketName].directory, r.File))
	if err != nil {
		return nil, err
	}
	object := r.object(section == nil)
	object.Range, object.Contents = section, file
	if section != nil {
		object.Contents = body{io.NewSectionReader(file, section.Start, section.Length), file}
	}
	return object, nil
}

// PutObject stores an object of the given size.
func (s *store) PutObject(bucketName, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	r, err := s.write(bucketName, key, input, size)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	r.Metadata = kept(meta)
	return gofakes3.PutObjectResult{}, s.commit(bucketName, r, conditions)
}

// write copies content into a new file of the bucket; the object does not exist before commit.
func (s *store) write(bucketName, key string, input io.Reader, size int64) (*record, error) {
	s.mu.RLock()
	b, err := s.bucket(bucketName)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(b.directory, name(key)+"-*"+contentSuffix)
	if err != nil {
		return nil, err
	}
	sum, check := md5.New(), crc32.NewIEEE()
	written, err := io.Copy(io.MultiWriter(file, sum, check), input)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil && written != size {
		err = gofakes3.ErrIncompleteBody
	}
	if err != nil {
		os.Remove(file.Name())
		return nil, err
	}
	return &record{Key: key, File: filepath.Base(file.Name()), Size: size, MD5: sum.Sum(nil), CRC32: check.Sum(nil)}, nil
}

// commit makes a written record the object of its key, if the conditions hold.
func (s *store) commit(bucketName string, r *record, conditions *gofakes3.PutConditions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(bucketName)
	if err != nil {
		return err
	}
	path := filepath.Join(b.directory, name(r.Key)+recordSuffix)
	r.Modified = time.Now().UTC()
	old := b.objects[r.Key]
	err = holds(conditions, old)
	if err == nil {
		err = r.save(path)
	}
	if err != nil {
		os.Remove(filepath.Join(b.directory, r.File))
		return err
	}
	b.objects[r.Key] = r
	if old == nil {
		b.keys = nil
		return nil
	}
	return remove(filepath.Join(b.directory, old.File))
}

// CopyObject makes a new object of the content of another.
func (s *store) CopyObject(fromBucket, fromKey, toBucket, toKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	from, err := s.GetObject(fromBucket, fromKey, nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	defer from.Contents.Close()
	r, err := s.write(toBucket, toKey, from.Contents, from.Size)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	r.Metadata = kept(meta)
	if err := s.commit(toBucket, r, nil); err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	return gofakes3.CopyObjectResult{ETag: r.etag(), LastModified: gofakes3.NewContentTime(r.Modified)}, nil
}

// DeleteObject removes an object; that there is none is no error.
func (s *store) DeleteObject(bucketName, key string) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(bucketName)
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	r := b.objects[key]
	if r == nil {
		return gofakes3.ObjectDeleteResult{}, nil
	}
	if err := remove(filepath.Join(b.directory, name(key)+recordSuffix)); err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	delete(b.objects, key)
	b.keys = nil
	return gofakes3.ObjectDeleteResult{}, remove(filepath.Join(b.directory, r.File))
}

// DeleteMulti removes several objects and reports each.
func (s *store) DeleteMulti(bucketName string, keys ...string) (result gofakes3.MultiDeleteResult, _ error) {
	for _, key := range keys {
		if _, err := s.DeleteObject(bucketName, key); err != nil {
			failure := gofakes3.ErrorResultFromError(err)
			failure.Key = key
			result.Error = append(result.Error, failure)
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}
