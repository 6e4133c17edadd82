package storage

import (
	"context"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Folder is a prefix of the bucket as a read-only file system, for code that reads a campaign folder wherever it lies.
func (s *Store) Folder(ctx context.Context, prefix string) fs.FS {
	return folder{ctx: ctx, store: s, prefix: prefix}
}

type folder struct {
	ctx    context.Context
	store  *Store
	prefix string
}

// Open opens the object prefix/name; fs.ErrNotExist when there is none.
func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	key := path.Join(f.prefix, name)
	out, err := f.store.client.GetObject(f.ctx, &s3.GetObjectInput{Bucket: &f.store.bucket, Key: &key})
	if Missing(err) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{ReadCloser: out.Body, name: path.Base(name), size: aws.ToInt64(out.ContentLength), modified: aws.ToTime(out.LastModified)}, nil
}

// file is an object; it is its own fs.FileInfo.
type file struct {
	io.ReadCloser
	name     string
	size     int64
	modified time.Time
}

func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Name() string               { return f.name }
func (f *file) Size() int64                { return f.size }
func (f *file) Mode() fs.FileMode          { return 0o444 }
func (f *file) ModTime() time.Time         { return f.modified }
func (f *file) IsDir() bool                { return false }
func (f *file) Sys() any                   { return nil }
