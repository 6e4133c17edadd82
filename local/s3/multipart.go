package s3

import (
	"crypto/md5"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/johannesboyne/gofakes3"
)

// CreateMultipartUpload begins an upload: a folder of files named by the parts' numbers. It does not outlive the process.
func (s *store) CreateMultipartUpload(_, _ string, meta map[string]string) (gofakes3.UploadID, error) {
	folder, err := os.MkdirTemp(s.unfinished, "upload-*")
	if err != nil {
		return "", err
	}
	id := gofakes3.UploadID(filepath.Base(folder))
	s.uploads.Store(id, meta)
	return id, nil
}

// part is the file of a part, or NoSuchUpload.
func (s *store) part(id gofakes3.UploadID, number int) (string, error) {
	if _, ok := s.uploads.Load(id); !ok {
		return "", gofakes3.ErrNoSuchUpload
	}
	return filepath.Join(s.unfinished, string(id), strconv.Itoa(number)), nil
}

// UploadPart stores a part; an earlier one of the same number is replaced.
func (s *store) UploadPart(_, _ string, id gofakes3.UploadID, number int, size int64, input io.Reader) (string, error) {
	path, err := s.part(id, number)
	if err != nil {
		return "", err
	}
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	sum := md5.New()
	written, err := io.Copy(io.MultiWriter(file, sum), input)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil && written != size {
		err = gofakes3.ErrIncompleteBody
	}
	return gofakes3.FormatETag(sum.Sum(nil)), err
}

// CompleteMultipartUpload makes one object of the parts that the request names. Its ETag is that of an object in one piece.
func (s *store) CompleteMultipartUpload(bucket, key string, id gofakes3.UploadID, request *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	var readers []io.Reader
	var size int64
	for _, part := range request.Parts {
		path, err := s.part(id, part.PartNumber)
		if err != nil {
			return "", "", err
		}
		file, err := os.Open(path)
		if err != nil {
			return "", "", gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "Part %d was not uploaded.", part.PartNumber)
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return "", "", err
		}
		readers, size = append(readers, file), size+info.Size()
	}
	meta, ok := s.uploads.Load(id)
	if !ok {
		return "", "", gofakes3.ErrNoSuchUpload
	}
	if _, err := s.PutObject(bucket, key, meta.(map[string]string), io.MultiReader(readers...), size, nil); err != nil {
		return "", "", err
	}
	object, err := s.HeadObject(bucket, key)
	if err != nil {
		return "", "", err
	}
	return "", gofakes3.FormatETag(object.Hash), s.AbortMultipartUpload(bucket, key, id)
}

// AbortMultipartUpload forgets an upload and its parts.
func (s *store) AbortMultipartUpload(_, _ string, id gofakes3.UploadID) error {
	if _, ok := s.uploads.LoadAndDelete(id); !ok {
		return gofakes3.ErrNoSuchUpload
	}
	return os.RemoveAll(filepath.Join(s.unfinished, string(id)))
}

// ListParts is not offered: no client of ours resumes an upload.
func (s *store) ListParts(string, string, gofakes3.UploadID, int, int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	return nil, gofakes3.ErrNotImplemented
}

// ListMultipartUploads is not offered: no client of ours resumes an upload.
func (s *store) ListMultipartUploads(string, *gofakes3.UploadListMarker, gofakes3.Prefix, int64) (*gofakes3.ListMultipartUploadsResult, error) {
	return nil, gofakes3.ErrNotImplemented
}
