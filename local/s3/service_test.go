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
	"regexp"
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

func open(t testing.TB, directory string) http.Handler {
	t.Helper()
	handler, err := s3.New(s3.Config{Directory: directory, Buckets: []string{bucket}})
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// serve starts the service; what the SDK warns of, such as a missing checksum, fails the test.
func serve(t testing.TB, directory string) *awss3.Client {
	t.Helper()
	server := httptest.NewServer(open(t, directory))
	t.Cleanup(server.Close)
	return awss3.New(awss3.Options{
		BaseEndpoint:     aws.String(server.URL),
		Region:           "us-east-1",
		Credentials:      credentials.NewStaticCredentialsProvider("local", "local", ""),
		RetryMaxAttempts: 1,
		Logger: logging.LoggerFunc(func(classification logging.Classification, format string, v ...any) {
			t.Errorf("the SDK warns: "+format, v...)
		}),
	})
}

// uploader is a transfer manager with the smallest parts.
func uploader(client *awss3.Client) *transfermanager.Client {
	return transfermanager.New(client, func(o *transfermanager.Options) { o.PartSizeBytes, o.MultipartUploadThreshold = 5<<20, 5<<20 })
}

// files are the paths below directory that belong to objects or uploads.
func files(t testing.TB, directory string) (paths []string) {
	t.Helper()
	for _, folder := range []string{"buckets", "unfinished"} {
		err := filepath.WalkDir(filepath.Join(directory, folder), func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return paths
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
	client := serve(t, t.TempDir())
	for _, size := range []int{0, 1, 100_000, 3_000_000} {
		want := content(size)
		sum := md5.Sum(want)
		key := fmt.Sprintf("campaigns/봄 세일/a+b%%20 %d.csv", size)
		if etag := put(t, client, key, want); etag != `"`+hex.EncodeToString(sum[:])+`"` {
			t.Errorf("ETag is %s", etag)
		}
		body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String(key)})
		if !bytes.Equal(body, want) || *output.ContentLength != int64(size) || aws.ToString(output.ChecksumCRC32) == "" {
			t.Errorf("got %d bytes, %+v", len(body), output)
		}
	}
}

func TestTheETagChangesWithTheContentOnly(t *testing.T) {
	client := serve(t, t.TempDir())
	first := put(t, client, "a", []byte("one"))
	for range 2 {
		if _, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("a")}); *output.ETag != first {
			t.Errorf("got %s after %s", *output.ETag, first)
		}
	}
	put(t, client, "a", []byte("two"))
	if _, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("a")}); *output.ETag == first {
		t.Error("another content has the same ETag")
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	handler := open(t, t.TempDir())
	for name, test := range map[string]struct {
		key, header, value string
		status             int
	}{
		"an encoded body":        {"a", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", http.StatusNotImplemented},
		"a web page":             {"a", "Origin", "https://example.com", http.StatusForbidden},
		"a body cut off":         {"a", "Content-Length", "6", http.StatusBadRequest},
		"a key that is too long": {strings.Repeat("k", 223), "Content-Type", "text/csv", http.StatusBadRequest},
		"a whole body":           {strings.Repeat("k", 222), "Content-Type", "text/csv", http.StatusOK},
	} {
		r := httptest.NewRequest("PUT", "/"+bucket+"/"+test.key, strings.NewReader("hello"))
		r.Header.Set("Content-Length", "5")
		r.Header.Set(test.header, test.value)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, httptest.NewRequest("GET", "/"+bucket+"/a", nil)); w.Code != http.StatusNotFound {
		t.Errorf("a refused upload left an object: %d %s", w.Code, w.Body)
	}
}

func TestRangesAndErrors(t *testing.T) {
	client := serve(t, t.TempDir())
	put(t, client, "a", []byte("0123456789"))
	for spec, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-3": "789", "bytes=8-100": "89"} {
		if body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("a"), Range: aws.String(spec)}); string(body) != want || output.ContentRange == nil || output.ChecksumCRC32 != nil {
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

func TestTheContentTypeIsKept(t *testing.T) {
	client := serve(t, t.TempDir())
	_, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("x"), ContentType: aws.String("text/csv; charset=utf-8")})
	if err != nil {
		t.Fatal(err)
	}
	output, err := client.HeadObject(t.Context(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	if *output.ContentType != "text/csv; charset=utf-8" || *output.ContentLength != 1 || output.LastModified.IsZero() {
		t.Errorf("%+v", output)
	}
}

func TestListingsAreInTheOrderOfTheKeys(t *testing.T) {
	client := serve(t, t.TempDir())
	for _, key := range []string{"a/1", "a/b/3", "a/b/4", "a/b-4", "a/c/5", "a/d", "b/6", "z"} {
		put(t, client, key, []byte(key))
	}
	list := func(prefix, delimiter string) (keys, prefixes []string) {
		t.Helper()
		input := &awss3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String(prefix), MaxKeys: aws.Int32(2)}
		if delimiter != "" {
			input.Delimiter = aws.String(delimiter)
		}
		pages := awss3.NewListObjectsV2Paginator(client, input)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range page.Contents {
				keys = append(keys, *object.Key)
			}
			for _, prefix := range page.CommonPrefixes {
				prefixes = append(prefixes, *prefix.Prefix)
			}
		}
		return keys, prefixes
	}
	for _, test := range []struct {
		prefix, delimiter string
		keys, prefixes    []string
	}{
		{"", "", []string{"a/1", "a/b-4", "a/b/3", "a/b/4", "a/c/5", "a/d", "b/6", "z"}, nil},
		{"a/b", "", []string{"a/b-4", "a/b/3", "a/b/4"}, nil},
		{"a/", "/", []string{"a/1", "a/b-4", "a/d"}, []string{"a/b/", "a/c/"}},
		{"", "/", []string{"z"}, []string{"a/", "b/"}},
		{"a", "/", nil, []string{"a/"}},
		{"none", "", nil, nil},
		{"none/", "/", nil, nil},
	} {
		if keys, prefixes := list(test.prefix, test.delimiter); !slices.Equal(keys, test.keys) || !slices.Equal(prefixes, test.prefixes) {
			t.Errorf("prefix %q, delimiter %q: %q %q", test.prefix, test.delimiter, keys, prefixes)
		}
	}
	for _, key := range []string{"a/b/3", "a/b/4", "none"} {
		if _, err := client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}); err != nil {
			t.Error(err)
		}
	}
	if keys, prefixes := list("a/", "/"); !slices.Equal(keys, []string{"a/1", "a/b-4", "a/d"}) || !slices.Equal(prefixes, []string{"a/c/"}) {
		t.Errorf("after deletion: %q %q", keys, prefixes)
	}
}

func TestAStreamIsUploadedInParts(t *testing.T) {
	directory := t.TempDir()
	client := serve(t, directory)
	put(t, client, "big", []byte("what was there before has another checksum"))
	want := content(12<<20 + 123)
	_, err := uploader(client).UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: aws.String(bucket), Key: aws.String("big"), Body: io.MultiReader(bytes.NewReader(want)), ContentType: aws.String("text/csv")})
	if err != nil {
		t.Fatal(err)
	}
	body, output := get(t, client, &awss3.GetObjectInput{Key: aws.String("big")})
	if !bytes.Equal(body, want) || *output.ContentType != "text/csv" {
		t.Errorf("got %d bytes, %+v", len(body), output)
	}
	if paths := files(t, directory); len(paths) != 1 {
		t.Errorf("parts are left: %q", paths)
	}
}

func TestAStreamThatFailsLeavesNothing(t *testing.T) {
	directory := t.TempDir()
	client := serve(t, directory)
	broken := errors.New("the list is broken")
	stream := io.MultiReader(bytes.NewReader(content(11<<20)), failing{broken})
	_, err := uploader(client).UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: aws.String(bucket), Key: aws.String("big"), Body: stream})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if paths := files(t, directory); len(paths) != 0 {
		t.Errorf("parts are left: %q", paths)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAnUploadIsCompletedOnceAndOfItsParts(t *testing.T) {
	client := serve(t, t.TempDir())
	created, err := client.CreateMultipartUpload(t.Context(), &awss3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	part, err := client.UploadPart(t.Context(), &awss3.UploadPartInput{Bucket: aws.String(bucket), Key: aws.String("a"), UploadId: created.UploadId, PartNumber: aws.Int32(1), Body: strings.NewReader("one")})
	if err != nil {
		t.Fatal(err)
	}
	complete := func(number int32) error {
		_, err := client.CompleteMultipartUpload(t.Context(), &awss3.CompleteMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("a"), UploadId: created.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(number), ETag: part.ETag}}}})
		return err
	}
	for _, test := range []struct {
		number int32
		want   string
	}{{2, "InvalidPart"}, {1, "<nil>"}, {1, "NoSuchUpload"}} {
		if got := code(complete(test.number)); got != test.want {
			t.Errorf("part %d: got %s, want %s", test.number, got, test.want)
		}
	}
}

func TestObjectsOutliveTheProcess(t *testing.T) {
	directory := t.TempDir()
	before := serve(t, directory)
	put(t, before, "campaigns/a", []byte("one"))
	etag := put(t, before, "campaigns/a", []byte("two"))
	// What a killed process leaves.
	if err := os.WriteFile(filepath.Join(directory, "unfinished", "object-1"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	after := serve(t, directory)
	if body, output := get(t, after, &awss3.GetObjectInput{Key: aws.String("campaigns/a")}); string(body) != "two" || *output.ETag != etag {
		t.Errorf("got %q", body)
	}
	if paths := files(t, directory); len(paths) != 1 {
		t.Errorf("files are left: %q", paths)
	}
}

func TestAReaderKeepsWhatItOpened(t *testing.T) {
	client := serve(t, t.TempDir())
	versions := [][]byte{bytes.Repeat([]byte("a"), 1<<20), bytes.Repeat([]byte("b"), 1<<20)}
	put(t, client, "a", versions[0])
	ctx := context.WithoutCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 20 {
			put(t, client, "a", versions[i%2])
		}
	})
	for range 8 {
		group.Go(func() {
			for range 10 {
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
	handler := open(t, t.TempDir())
	const part, parts = 32 << 20, 2
	call := func(method, path string, body io.Reader, size int) string {
		r := httptest.NewRequest(method, "/"+bucket+"/a"+path, body)
		r.ContentLength = int64(size)
		r.Header.Set("Content-Length", fmt.Sprint(size))
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatal(method, path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	before := allocated()
	id := regexp.MustCompile("<UploadId>(.*)</UploadId>").FindStringSubmatch(call("POST", "?uploads", nil, 0))[1]
	list := ""
	for number := 1; number <= parts; number++ {
		call("PUT", fmt.Sprintf("?partNumber=%d&uploadId=%s", number, id), io.LimitReader(zeros{}, part), part)
		list += fmt.Sprintf("<Part><PartNumber>%d</PartNumber></Part>", number)
	}
	list = "<CompleteMultipartUpload>" + list + "</CompleteMultipartUpload>"
	call("POST", "?uploadId="+id, strings.NewReader(list), len(list))
	w := &counter{header: http.Header{}}
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/"+bucket+"/a", nil))
	if grown := allocated() - before; w.n != parts*part || grown > part/4 {
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
