package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"fanmail/local/s3"
	"fanmail/shared/cloud"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const bucket = "fanmail-local"

// fixture is a bucket over HTTP.
type fixture struct {
	*storage.Store
	client *awss3.Client
	mu     sync.Mutex
	// calls are the requests so far, as "METHOD /path?query".
	calls []string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{}
	objects, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{bucket}})
	check(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.calls = append(f.calls, r.Method+" "+r.URL.RequestURI())
		f.mu.Unlock()
		objects.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	f.client = cloud.S3(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	f.Store = storage.New(f.client, bucket)
	return f
}

// called tells how many requests so far hold the text.
func (f *fixture) called(text string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if strings.Contains(call, text) {
			n++
		}
	}
	return n
}

func (f *fixture) read(t *testing.T, key string) []byte {
	t.Helper()
	body, _, err := f.Open(context.Background(), key)
	check(t, err)
	content, err := io.ReadAll(body)
	check(t, err)
	check(t, body.Close())
	return content
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsStreamedIsWhatIsRead(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct {
		name string
		size int
		// parts is how many parts are uploaded; 0 means a plain PutObject.
		parts int
	}{
		{"nothing", 0, 0},
		{"a few bytes", 7, 0},
		{"two parts and a bit", 10*mib + 1, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			want := bytes.Repeat([]byte("0123456789abcde\n"), test.size/16+1)[:test.size]
			err := f.Write(context.Background(), "work/a/list.csv", "text/csv", func(w io.Writer) error {
				_, err := io.Copy(w, struct{ io.Reader }{bytes.NewReader(want)})
				return err
			})
			check(t, err)
			if got := f.read(t, "work/a/list.csv"); !bytes.Equal(got, want) {
				t.Errorf("read %d bytes back, wrote %d", len(got), len(want))
			}
			if n := f.called("partNumber="); n != test.parts {
				t.Errorf("%d parts were uploaded, want %d", n, test.parts)
			}
			head, err := f.client.HeadObject(context.Background(), &awss3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("work/a/list.csv")})
			check(t, err)
			if aws.ToString(head.ContentType) != "text/csv" {
				t.Errorf("the content type is %q", aws.ToString(head.ContentType))
			}
		})
	}
}

func TestWhenTheContentCannotBeMadeNoObjectIsLeft(t *testing.T) {
	broken := errors.New("the list is broken")
	for _, test := range []struct {
		name string
		size int
	}{{"at once", 0}, {"after a few bytes", 7}, {"after the first part", 6 << 20}} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			err := f.Write(context.Background(), "a.csv", "text/csv", func(w io.Writer) error {
				if _, err := w.Write(make([]byte, test.size)); err != nil {
					return err
				}
				return broken
			})
			if err != broken {
				t.Errorf("got %v, want the error of the content as it is", err)
			}
			if _, _, err := f.Open(context.Background(), "a.csv"); !storage.Missing(err) {
				t.Errorf("reading the object: %v, want it missing", err)
			}
			if begun, aborted := f.called("?uploads"), f.called("DELETE"); begun != aborted {
				t.Errorf("%d multipart uploads were begun, %d aborted: parts without an object cost money for ever", begun, aborted)
			}
		})
	}
}

func TestWhenTheUploadFailsTheWriterIsStoppedAndTheErrorSaysWhere(t *testing.T) {
	f := newFixture(t)
	missing := storage.New(f.client, "no-such-bucket")
	written := 0
	err := missing.Write(context.Background(), "a.csv", "text/csv", func(w io.Writer) error {
		for range 1000 {
			n, err := w.Write(make([]byte, 1<<20))
			if written += n; err != nil {
				return fmt.Errorf("writing a line: %w", err)
			}
		}
		return nil
	})
	if err == nil || !strings.HasPrefix(err.Error(), "writing s3://no-such-bucket/a.csv: ") || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("got %v, want what was being written and S3's reason", err)
	}
	if written > 64<<20 {
		t.Errorf("%d MiB were produced for nobody", written>>20)
	}
}

func TestACancelledWriteLeavesNoObject(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := f.Write(ctx, "a.csv", "text/csv", func(w io.Writer) error {
		_, err := w.Write([]byte("one line\n"))
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
	if _, _, err := f.Open(context.Background(), "a.csv"); !storage.Missing(err) {
		t.Errorf("reading the object: %v, want it missing", err)
	}
}

func TestMissingIsOnlyAboutTheObject(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	_, _, noKey := f.Open(ctx, "nothing/here")
	_, _, noBucket := storage.New(f.client, "no-such-bucket").Open(ctx, "a")
	for _, test := range []struct {
		name string
		err  error
		want bool
	}{
		{"no such key", noKey, true},
		{"wrapped", fmt.Errorf("reading the list: %w", noKey), true},
		{"no such bucket", noBucket, false},
		{"another error", io.ErrUnexpectedEOF, false},
		{"none", nil, false},
		{"the SDK's type", &types.NoSuchKey{}, true},
	} {
		if got := storage.Missing(test.err); got != test.want {
			t.Errorf("%s: missing is %v, want %v (%v)", test.name, got, test.want, test.err)
		}
	}
	if noKey == nil || !strings.HasPrefix(noKey.Error(), "reading s3://fanmail-local/nothing/here: ") {
		t.Errorf("got %v, want the address of the object", noKey)
	}
}

func TestTheTagChangesWithTheContent(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	var tags []string
	for _, content := range []string{"one", "one", "two"} {
		check(t, f.PutJSON(ctx, "a.json", content))
		body, tag, err := f.Open(ctx, "a.json")
		check(t, err)
		check(t, body.Close())
		tags = append(tags, tag)
	}
	if tags[0] == "" || tags[0] != tags[1] || tags[1] == tags[2] {
		t.Errorf("tags %q, want the first two equal and the third another", tags)
	}
}

func TestJSONComesBackAsItWasPut(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	want := workflow.Batch{Number: 1, First: 1, Last: 9_007_199_254_740_993, Pending: 2}
	check(t, f.PutJSON(ctx, "batch.json", want))
	var got workflow.Batch
	check(t, f.GetJSON(ctx, "batch.json", &got))
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	check(t, f.Write(ctx, "broken.json", "application/json", func(w io.Writer) error { _, err := io.WriteString(w, `{"number":`); return err }))
	if err := f.GetJSON(ctx, "broken.json", &got); err == nil || !strings.HasPrefix(err.Error(), "reading s3://fanmail-local/broken.json: ") {
		t.Errorf("got %v, want an error that names the object", err)
	}
	if err := f.GetJSON(ctx, "nothing.json", &got); !storage.Missing(err) {
		t.Errorf("got %v, want it missing", err)
	}
	if err := f.PutJSON(ctx, "function.json", func() {}); err == nil || f.called("function.json") != 0 {
		t.Errorf("got %v, want an error before S3 is called", err)
	}
}

func TestListNamesTheKeysBelowAPrefix(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	for _, key := range []string{"work/a/1/x.json", "work/a/1/deep/y.json", "work/a/10/z.json"} {
		check(t, f.PutJSON(ctx, key, 1))
	}
	keys, err := f.List(ctx, "work/a/1/")
	check(t, err)
	if got := strings.Join(keys, " "); got != "work/a/1/deep/y.json work/a/1/x.json" {
		t.Errorf("keys %s", got)
	}
	if keys, err := f.List(ctx, "nothing/"); err != nil || len(keys) != 0 {
		t.Errorf("below an empty prefix: %q, %v", keys, err)
	}
	if _, err := storage.New(f.client, "no-such-bucket").List(ctx, "work/"); err == nil || !strings.HasPrefix(err.Error(), "listing s3://no-such-bucket/work/: ") {
		t.Errorf("got %v, want an error that names the place", err)
	}
}
