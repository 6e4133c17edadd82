package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"fanmail/local/s3"
)

const bucket = "fanmail-local"

// serve starts the service over plain HTTP, or over TLS, where SDKs send aws-chunked bodies with a trailing checksum.
func serve(t testing.TB, directory string, tls bool) *awss3.Client {
	t.Helper()
	handler, err := s3.New(s3.Config{Directory: directory, Buckets: []string{bucket}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	if tls {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return awss3.New(awss3.Options{
		BaseEndpoint:     aws.String(server.URL),
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:       server.Client(),
		RetryMaxAttempts: 1,
		Logger: logging.LoggerFunc(func(classification logging.Classification, format string, v ...any) {
			t.Errorf("the SDK warns: "+format, v...)
		}),
	})
}

func content(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func put(t testing.TB, client *awss3.Client, key string, body []byte) string {
	t.Helper()
	output, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	return *output.ETag
}

func get(t testing.TB, client *awss3.Client, input *awss3.GetObjectInput) ([]byte, *awss3.GetObjectOutput) {
	t.Helper()
	input.Bucket = aws.String(bucket)
	output, err := client.GetObject(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	defer output.Body.Close()
	body, err := io.ReadAll(output.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body, output
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestAnObjectIsReadAsItWasWritten(t *testing.T) {
	for _, tls := range []bool{false, true} {
		for _, size := range []int{0, 1, 100_000, 3_000_000} {
			t.Run(fmt.Sprintf("tls=%v/%d", tls, size), func(t *testing.T) {
				client := serve(t, t.TempDir(), tls)
				want := content(size)
				sum := md5.Sum(want)
				key := "campaigns/봄 세일/a+b%20 ?.csv"
				if etag := put(t, client, key, want); etag != `"`+hex.EncodeToString(sum[:])+`"` {
					t.Errorf("ETag is %s", etag)
				}
				body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String(key)})
				if !bytes.Equal(body, want) || *output.ContentLength != int64(size) || aws.ToString(output.ContentEncoding) != "" || aws.ToString(output.ChecksumCRC32) == "" {
					t.Errorf("got %d bytes, %+v", len(body), output)
				}
			})
		}
	}
}

func TestEveryChecksumAlgorithmIsVerified(t *testing.T) {
	for _, tls := range []bool{false, true} {
		client := serve(t, t.TempDir(), tls)
		for _, algorithm := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512"} {
			input := &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("hello"), ChecksumAlgorithm: algorithm}
			if _, err := client.PutObject(t.Context(), input); err != nil {
				t.Errorf("tls=%v %s: %v", tls, algorithm, err)
			}
		}
		for name, input := range map[string]*awss3.PutObjectInput{
			"SHA512":    {ChecksumSHA512: aws.String(strings.Repeat("A", 86) + "==")},
			"CRC32":     {ChecksumCRC32: aws.String("AAAAAA==")},
			"CRC32C":    {ChecksumCRC32C: aws.String("AAAAAA==")},
			"CRC64NVME": {ChecksumCRC64NVME: aws.String("AAAAAAAAAAA=")},
			"SHA1":      {ChecksumSHA1: aws.String("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")},
			"SHA256":    {ChecksumSHA256: aws.String("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")},
		} {
			input.Bucket, input.Key, input.Body = aws.String(bucket), aws.String("wrong"), strings.NewReader("hello")
			if _, err := client.PutObject(t.Context(), input); code(err) != "BadDigest" {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if _, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("wrong")}); code(err) != "NotFound" {
			t.Errorf("an object with a wrong checksum is there: %v", err)
		}
	}
}

func TestABrokenChunkedBodyIsRefused(t *testing.T) {
	handler, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{bucket}})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{
		"5\r\nhello\r\n0\r\n\r\n": 200,
		"2;chunk-signature=abc\r\nhe\r\n3;chunk-signature=def\r\nllo\r\n0;chunk-signature=ghi\r\n\r\n": 200,
		"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n":                                     400,
		"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n":                                     200,
		"5\r\nhello":                         400,
		"5\r\nhelloworld\r\n0\r\n\r\n":       400,
		"4\r\nhell\r\n0\r\n\r\n":             400,
		"nonsense\r\n":                       400,
		"-1\r\n":                             400,
		"":                                   400,
		"7\r\nhello\r\n\r\n0\r\n\r\n":        400,
		"5" + strings.Repeat("0", 40) + "\n": 400,
	} {
		r := httptest.NewRequest("PUT", "/"+bucket+"/a", strings.NewReader(body))
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("X-Amz-Decoded-Content-Length", "5")
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		if strings.Contains(body, "crc32") {
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestConditionsAreKept(t *testing.T) {
	client := serve(t, t.TempDir(), false)
	first := put(t, client, "a", []byte("one"))
	body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("a"), IfMatch: aws.String(first)})
	if string(body) != "one" || *output.ETag != first {
		t.Errorf("got %q %s", body, *output.ETag)
	}
	second := put(t, client, "a", []byte("two"))
	if _, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), IfMatch: aws.String(first)}); code(err) != "PreconditionFailed" {
		t.Errorf("got %v", err)
	}
	if _, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), IfNoneMatch: aws.String(second)}); !strings.Contains(fmt.Sprint(err), "304") {
		t.Errorf("got %v", err)
	}
	write := func(key, match, noneMatch string) string {
		input := &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("three")}
		if match != "" {
			input.IfMatch = aws.String(match)
		}
		if noneMatch != "" {
			input.IfNoneMatch = aws.String(noneMatch)
		}
		_, err := client.PutObject(t.Context(), input)
		return code(err)
	}
	for _, test := range []struct{ key, match, noneMatch, want string }{
		{"a", "", "*", "PreconditionFailed"},
		{"a", first, "", "PreconditionFailed"},
		{"b", first, "", "NoSuchKey"},
		{"b", "", "*", "<nil>"},
		{"a", second, "", "<nil>"},
	} {
		if got := write(test.key, test.match, test.noneMatch); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func TestRangesAndErrors(t *testing.T) {
	client := serve(t, t.TempDir(), false)
	put(t, client, "a", []byte("0123456789"))
	for spec, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=8-100": "89"} {
		if body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("a"), Range: aws.String(spec)}); string(body) != want || output.ContentRange == nil {
			t.Errorf("%s: %q", spec, body)
		}
	}
	ctx := t.Context()
	_, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Range: aws.String("bytes=10-")})
	if code(err) != "InvalidRange" {
		t.Errorf("got %v", err)
	}
	_, err = client.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	if noKey := (*types.NoSuchKey)(nil); !errors.As(err, &noKey) {
		t.Errorf("got %v", err)
	}
	_, err = client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	if notFound := (*types.NotFound)(nil); !errors.As(err, &notFound) {
		t.Errorf("got %v", err)
	}
	_, err = client.PutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String("other"), Key: aws.String("a"), Body: strings.NewReader("x")})
	if code(err) != "NoSuchBucket" {
		t.Errorf("got %v", err)
	}
	_, err = client.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: aws.String(bucket)})
	if err != nil {
		t.Error(err)
	}
}

func TestMetadataAreKept(t *testing.T) {
	client := serve(t, t.TempDir(), true)
	_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("x"),
		ContentType: aws.String("text/csv; charset=utf-8"), ContentEncoding: aws.String("gzip"), Metadata: map[string]string{"rows": "12"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CopyObject(t.Context(), &awss3.CopyObjectInput{Bucket: aws.String(bucket), Key: aws.String("b"), CopySource: aws.String(bucket + "/a")})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		output, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
		if err != nil {
			t.Fatal(err)
		}
		if *output.ContentType != "text/csv; charset=utf-8" || *output.ContentEncoding != "gzip" || output.Metadata["rows"] != "12" || *output.ContentLength != 1 || output.LastModified.IsZero() {
			t.Errorf("%s: %+v", key, output)
		}
	}
}

func TestListingPagesThroughKeysAndPrefixes(t *testing.T) {
	client := serve(t, t.TempDir(), false)
	for _, key := range []string{"a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "a/d", "b/6", "z", "a"} {
		put(t, client, key, []byte(key))
	}
	list := func(input *awss3.ListObjectsV2Input) (all []string) {
		t.Helper()
		input.Bucket = aws.String(bucket)
		pages := awss3.NewListObjectsV2Paginator(client, input)
		for n := 0; pages.HasMorePages(); n++ {
			page, err := pages.NextPage(t.Context())
			if err != nil || n > 20 {
				t.Fatal(n, err)
			}
			for _, object := range page.Contents {
				all = append(all, *object.Key)
			}
			for _, prefix := range page.CommonPrefixes {
				all = append(all, *prefix.Prefix)
			}
		}
		return all
	}
	for _, size := range []int32{1, 2, 3, 1000} {
		for _, test := range []struct {
			input awss3.ListObjectsV2Input
			want  []string
		}{
			{awss3.ListObjectsV2Input{}, []string{"a", "a/1", "a/2", "a/b/3", "a/b/4", "a/c/5", "a/d", "b/6", "z"}},
			{awss3.ListObjectsV2Input{Prefix: aws.String("a/b")}, []string{"a/b/3", "a/b/4"}},
			{awss3.ListObjectsV2Input{Prefix: aws.String("a/"), Delimiter: aws.String("/")}, []string{"a/1", "a/2", "a/b/", "a/c/", "a/d"}},
			{awss3.ListObjectsV2Input{Delimiter: aws.String("/")}, []string{"a", "a/", "b/", "z"}},
			{awss3.ListObjectsV2Input{StartAfter: aws.String("a/b/3")}, []string{"a/b/4", "a/c/5", "a/d", "b/6", "z"}},
			{awss3.ListObjectsV2Input{Prefix: aws.String("none")}, nil},
		} {
			test.input.MaxKeys = aws.Int32(size)
			got := list(&test.input)
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("pages of %d, prefix %q: %q", size, aws.ToString(test.input.Prefix), got)
			}
		}
	}
	deleted, err := client.DeleteObjects(t.Context(), &awss3.DeleteObjectsInput{Bucket: aws.String(bucket), Delete: &types.Delete{
		Objects: []types.ObjectIdentifier{{Key: aws.String("a/1")}, {Key: aws.String("none")}, {Key: aws.String("z")}}}})
	if err != nil || len(deleted.Deleted) != 3 {
		t.Errorf("got %+v %v", deleted, err)
	}
	if _, err := client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("b/6")}); err != nil {
		t.Error(err)
	}
	if got := list(&awss3.ListObjectsV2Input{}); !slices.Equal(got, []string{"a", "a/2", "a/b/3", "a/b/4", "a/c/5", "a/d"}) {
		t.Errorf("after deletion: %q", got)
	}
}

func TestTheTransferManagerUploadsAndDownloadsInParts(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprint("tls=", tls), func(t *testing.T) {
			directory := t.TempDir()
			client := serve(t, directory, tls)
			manager := transfermanager.New(client, func(o *transfermanager.Options) { o.PartSizeBytes, o.MultipartUploadThreshold = 5<<20, 5<<20 })
			want := content(12<<20 + 123)
			uploaded, err := manager.UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: aws.String(bucket), Key: aws.String("big"), Body: io.MultiReader(bytes.NewReader(want)), ContentType: aws.String("text/csv")})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(*uploaded.ETag, `-3"`) {
				t.Errorf("ETag is %s", *uploaded.ETag)
			}
			body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("big"), IfMatch: uploaded.ETag})
			if !bytes.Equal(body, want) || *output.ETag != *uploaded.ETag || *output.ContentType != "text/csv" {
				t.Errorf("got %d bytes, %+v", len(body), output)
			}
			streamed, err := manager.GetObject(t.Context(), &transfermanager.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("big")})
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(streamed.Body); err != nil || !bytes.Equal(body, want) {
				t.Errorf("streamed %d bytes: %v", len(body), err)
			}
			file, err := os.Create(filepath.Join(t.TempDir(), "big"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if _, err := manager.DownloadObject(t.Context(), &transfermanager.DownloadObjectInput{Bucket: aws.String(bucket), Key: aws.String("big"), WriterAt: file}); err != nil {
				t.Fatal(err)
			}
			if body, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(body, want) {
				t.Errorf("downloaded %d bytes: %v", len(body), err)
			}
			if files, err := os.ReadDir(filepath.Join(directory, bucket)); err != nil || len(files) != 2 {
				t.Errorf("parts are left: %v %v", files, err)
			}
		})
	}
}

func TestMultipartUploadsAreCheckedAndAborted(t *testing.T) {
	directory := t.TempDir()
	client := serve(t, directory, false)
	ctx := t.Context()
	created, err := client.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	part := func(number int32, body string) *types.CompletedPart {
		t.Helper()
		output, err := client.UploadPart(ctx, &awss3.UploadPartInput{Bucket: aws.String(bucket), Key: aws.String("a"), UploadId: created.UploadId, PartNumber: aws.Int32(number), Body: strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		return &types.CompletedPart{PartNumber: aws.Int32(number), ETag: output.ETag}
	}
	complete := func(parts ...types.CompletedPart) error {
		_, err := client.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("a"), UploadId: created.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	one, two := part(1, "one"), part(2, "two")
	old := *one
	one = part(1, "uno")
	listed, err := client.ListParts(ctx, &awss3.ListPartsInput{Bucket: aws.String(bucket), Key: aws.String("a"), UploadId: created.UploadId})
	if err != nil || len(listed.Parts) != 2 {
		t.Errorf("got %+v %v", listed, err)
	}
	uploads, err := client.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil || len(uploads.Uploads) != 1 {
		t.Errorf("got %+v %v", uploads, err)
	}
	for name, err := range map[string]error{
		"InvalidPartOrder": complete(*two, *one),
		"InvalidPart":      complete(old),
		"MalformedXML":     complete(),
	} {
		if code(err) != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := complete(*one, *two); code(err) != "InvalidPart" || !strings.Contains(err.Error(), "at least") {
		t.Errorf("got %v", err)
	}
	if _, err := client.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("a"), UploadId: created.UploadId}); err != nil {
		t.Error(err)
	}
	if err := complete(*one); code(err) != "NoSuchUpload" {
		t.Errorf("got %v", err)
	}
	if files, err := os.ReadDir(filepath.Join(directory, bucket)); err != nil || len(files) != 0 {
		t.Errorf("parts are left: %v %v", files, err)
	}
}

func TestObjectsOutliveTheProcess(t *testing.T) {
	directory := t.TempDir()
	before := serve(t, directory, false)
	put(t, before, "a", []byte("one"))
	etag := put(t, before, "a", []byte("two"))
	// What a killed process leaves: a content without a record, and a record that was not yet in place.
	for _, name := range []string{"x.content", "y.json.new"} {
		if err := os.WriteFile(filepath.Join(directory, bucket, name), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	after := serve(t, directory, false)
	if body, output := get(t, after, &awss3.GetObjectInput{Key: aws.String("a")}); string(body) != "two" || *output.ETag != etag {
		t.Errorf("got %q", body)
	}
	if files, err := os.ReadDir(filepath.Join(directory, bucket)); err != nil || len(files) != 2 {
		t.Errorf("files left: %v %v", files, err)
	}
}

func TestAReaderKeepsWhatItOpened(t *testing.T) {
	client := serve(t, t.TempDir(), false)
	versions := [][]byte{bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 1<<20)}
	put(t, client, "a", versions[0])
	ctx := context.WithoutCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 20 {
			put(t, client, "a", versions[i%2])
		}
	})
	for range 2 {
		group.Go(func() {
			for range 20 {
				output, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")})
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(output.Body) // verifies the checksum, too
				output.Body.Close()
				if err != nil || !bytes.Equal(body, versions[0]) && !bytes.Equal(body, versions[1]) {
					t.Errorf("a mixture of versions: %v", err)
				}
			}
		})
	}
	group.Wait()
}

func TestMemoryStaysFlat(t *testing.T) {
	handler, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{bucket}})
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	r := httptest.NewRequest("PUT", "/"+bucket+"/a", io.LimitReader(zeros{}, size))
	r.Header.Set("Content-Length", fmt.Sprint(size))
	before := allocated()
	handler.ServeHTTP(httptest.NewRecorder(), r)
	w := &counter{header: http.Header{}}
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/"+bucket+"/a", nil))
	if grown := allocated() - before; w.n != size || grown > size/8 {
		t.Errorf("%d bytes read, %d bytes allocated", w.n, grown)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type counter struct {
	header http.Header
	n      int
}

func (c *counter) Header() http.Header         { return c.header }
func (c *counter) WriteHeader(int)             {}
func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func TestABadConfigurationIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, config := range []s3.Config{{}, {Directory: file}, {Directory: t.TempDir(), Buckets: []string{"../x"}}} {
		if _, err := s3.New(config); err == nil {
			t.Errorf("%+v is accepted", config)
		}
	}
}
