package s3

import (
	"crypto/md5"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/johannesboyne/gofakes3"
)

// minPart is the smallest size in bytes of every part but the last.
const minPart = 5 << 20

// upload is a multipart upload that is not completed. Its parts are contents without a key; they do not outlive the process.
type upload struct {
	id      gofakes3.UploadID
	bucket  string
	key     string
	meta    map[string]string
	started time.Time
	parts   map[int]*record
}

// upload returns an upload, or NoSuchUpload. The caller holds the lock.
func (s *store) upload(bucketName, key string, id gofakes3.UploadID) (*upload, error) {
	u := s.uploads[id]
	if u == nil || u.bucket != bucketName || u.key != key {
		return nil, gofakes3.ErrNoSuchUpload
	}
	return u, nil
}

// CreateMultipartUpload begins an upload.
func (s *store) CreateMultipartUpload(bucketName, key string, meta map[string]string) (gofakes3.UploadID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.bucket(bucketName); err != nil {
		return "", err
	}
	u := &upload{id: gofakes3.UploadID(uuid.NewString()), bucket: bucketName, key: key, meta: kept(meta), started: time.Now(), parts: map[int]*record{}}
	s.uploads[u.id] = u
	return u.id, nil
}

// UploadPart stores a part; an earlier one of the same number is replaced.
func (s *store) UploadPart(bucketName, key string, id gofakes3.UploadID, number int, size int64, input io.Reader) (string, error) {
	s.mu.RLock()
	_, err := s.upload(bucketName, key, id)
	s.mu.RUnlock()
	if err != nil {
		return "", err
	}
	part, err := s.write(bucketName, string(id), input, size)
	if err != nil {
		return "", err
	}
	part.Modified = time.Now()

	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(bucketName, key, id) // it may have been aborted meanwhile
	if err != nil {
		s.discard(bucketName, part)
		return "", err
	}
	if old := u.parts[number]; old != nil {
		s.discard(bucketName, old)
	}
	u.parts[number] = part
	return part.etag(), nil
}

// discard removes the files of parts. The caller holds the lock. What can't be removed goes at the next start.
func (s *store) discard(bucketName string, parts ...*record) {
	if b := s.buckets[bucketName]; b != nil {
		for _, part := range parts {
			os.Remove(filepath.Join(b.directory, part.File))
		}
	}
}

// AbortMultipartUpload forgets an upload and its parts.
func (s *store) AbortMultipartUpload(bucketName, key string, id gofakes3.UploadID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(bucketName, key, id)
	if err != nil {
		return err
	}
	delete(s.uploads, id)
	s.discard(bucketName, slices.Collect(maps.Values(u.parts))...)
	return nil
}

// CompleteMultipartUpload makes one object of the parts that the request names.
func (s *store) CompleteMultipartUpload(bucketName, key string, id gofakes3.UploadID, request *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	s.mu.Lock()
	u, err := s.upload(bucketName, key, id)
	var parts []*record
	if err == nil {
		parts, err = u.choose(request.Parts)
	}
	if err != nil {
		s.mu.Unlock()
		return "", "", err
	}
	delete(s.uploads, id) // nobody else completes or aborts it while the parts are copied
	directory := s.buckets[bucketName].directory
	s.mu.Unlock()

	r, err := s.join(bucketName, key, directory, parts)
	if err == nil {
		r.Metadata = u.meta
		err = s.commit(bucketName, r, nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.uploads[id] = u
		return "", "", err
	}
	s.discard(bucketName, slices.Collect(maps.Values(u.parts))...)
	return "", r.etag(), nil
}

// choose returns the named parts in order, after the checks of S3.
func (u *upload) choose(named []gofakes3.CompletedPart) ([]*record, error) {
	if len(named) == 0 {
		return nil, gofakes3.ErrorMessage(gofakes3.ErrMalformedXML, "You must specify at least one part")
	}
	parts := make([]*record, 0, len(named))
	for i, n := range named {
		part := u.parts[n.PartNumber]
		switch {
		case i > 0 && n.PartNumber <= named[i-1].PartNumber:
			return nil, gofakes3.ErrInvalidPartOrder
		case part == nil || !sameETag(n.ETag, part.etag()):
			return nil, gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "Part %d was not uploaded, or its ETag does not match.", n.PartNumber)
		}
		parts = append(parts, part)
	}
	for i, part := range parts[:len(parts)-1] {
		if part.Size < minPart {
			return nil, gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "Part %d has %d bytes: all but the last must have at least %d.", named[i].PartNumber, part.Size, minPart)
		}
	}
	return parts, nil
}

// join copies the parts into one content.
func (s *store) join(bucketName, key, directory string, parts []*record) (*record, error) {
	readers, sums, size := make([]io.Reader, 0, len(parts)), md5.New(), int64(0)
	for _, part := range parts {
		readers = append(readers, &lateFile{path: filepath.Join(directory, part.File)})
		sums.Write(part.MD5)
		size += part.Size
	}
	r, err := s.write(bucketName, key, io.MultiReader(readers...), size)
	if err != nil {
		return nil, fmt.Errorf("joining the parts of %s: %w", key, err)
	}
	r.MD5, r.Parts = sums.Sum(nil), len(parts)
	return r, nil
}

// lateFile opens its file at the first read and closes it at the end: an upload may have 10,000 parts.
type lateFile struct {
	path string
	file *os.File
}

func (l *lateFile) Read(p []byte) (n int, err error) {
	if l.file == nil {
		if l.file, err = os.Open(l.path); err != nil {
			return 0, err
		}
	}
	if n, err = l.file.Read(p); err != nil {
		l.file.Close()
	}
	return n, err
}
