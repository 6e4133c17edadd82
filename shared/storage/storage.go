// Package storage reads and writes the S3 objects of a campaign.
package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fanmail/shared/workflow"
)

// partSize is the size of the parts of a streamed upload: S3's minimum, because each part lies in memory.
const partSize = 5 << 20

// Store is a bucket.
type Store struct {
	client  *s3.Client
	uploads *transfermanager.Client
	bucket  string
}

// New returns the bucket as a Store.
func New(client *s3.Client, bucket string) *Store {
	uploads := transfermanager.New(client, func(o *transfermanager.Options) {
		o.PartSizeBytes = partSize
		// Up to its threshold, 16 MiB by default, an upload is held in memory as one piece.
		o.MultipartUploadThreshold = partSize
		o.Concurrency = 1
	})
	return &Store{client: client, uploads: uploads, bucket: bucket}
}

// Object names a key of the bucket.
func (s *Store) Object(elements ...string) workflow.Object {
	return workflow.Object{Bucket: s.bucket, Key: path.Join(elements...)}
}

// Open reads an object. The error is a *types.NoSuchKey when there is none; tag is its entity tag, which changes with
// its content.
func (s *Store) Open(ctx context.Context, key string) (body io.ReadCloser, tag string, err error) {
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return nil, "", fmt.Errorf("reading s3://%s/%s: %w", s.bucket, key, err)
	}
	return out.Body, aws.ToString(out.ETag), nil
}

// List returns up to 1000 keys with the prefix.
func (s *Store) List(ctx context.Context, prefix string) ([]string, error) {
	out, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix})
	if err != nil {
		return nil, fmt.Errorf("listing s3://%s/%s: %w", s.bucket, prefix, err)
	}
	keys := make([]string, len(out.Contents))
	for i, object := range out.Contents {
		keys[i] = aws.ToString(object.Key)
	}
	return keys, nil
}

// Missing tells whether err says that an object does not exist.
func Missing(err error) bool {
	var noKey *types.NoSuchKey
	return errors.As(err, &noKey)
}

// GetJSON reads a JSON object into v.
func (s *Store) GetJSON(ctx context.Context, key string, v any) error {
	body, _, err := s.Open(ctx, key)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if err := json.NewDecoder(body).Decode(v); err != nil {
		return fmt.Errorf("reading s3://%s/%s: %w", s.bucket, key, err)
	}
	return nil
}

// PutJSON writes v as a JSON object.
func (s *Store) PutJSON(ctx context.Context, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.bucket, Key: &key, Body: bytes.NewReader(data), ContentType: aws.String("application/json"),
	})
	if err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", s.bucket, key, err)
	}
	return nil
}

// Copy makes an object a copy of another one. S3 copies up to 5 GiB in one call.
func (s *Store) Copy(ctx context.Context, from, to string) error {
	// S3 decodes the source as a URL, in which a plus would be a space.
	source := strings.ReplaceAll(url.QueryEscape(s.bucket+"/"+from), "+", "%20")
	if _, err := s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &s.bucket, CopySource: &source, Key: &to}); err != nil {
		return fmt.Errorf("copying s3://%s/%s to %s: %w", s.bucket, from, to, err)
	}
	return nil
}

// Write streams what fill writes to an object, in constant memory. When fill fails, no object is left.
func (s *Store) Write(ctx context.Context, key, contentType string, fill func(io.Writer) error) error {
	reader, writer := io.Pipe()
	filled := make(chan error, 1)
	go func() {
		err := fill(writer)
		_ = writer.CloseWithError(err)
		filled <- err
	}()
	_, err := s.uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &s.bucket, Key: &key, Body: reader, ContentType: &contentType,
	})
	_ = reader.CloseWithError(io.ErrClosedPipe)
	if fillErr := <-filled; fillErr != nil && !errors.Is(fillErr, io.ErrClosedPipe) {
		return fillErr
	}
	if err != nil {
		return fmt.Errorf("writing s3://%s/%s: %w", s.bucket, key, err)
	}
	return nil
}
