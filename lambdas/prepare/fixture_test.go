package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/local/s3"
	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/ledger"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const bucket = "fanmail-local"

// fixture is Prepare with a real database, and S3 and Step Functions over HTTP.
type fixture struct {
	handler *handler
	db      *bun.DB
	s3      *awss3.Client
	store   *storage.Store
	// onRead, if set, is called with the key of an object before it is read.
	onRead func(key string)
	// describe answers DescribeExecution; asked are the executions that it was asked about.
	describe http.HandlerFunc
	asked    []string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{describe: status("RUNNING")}
	objects, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{bucket}})
	check(t, err)
	config := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if key, ok := strings.CutPrefix(r.URL.Path, "/"+bucket+"/"); ok && r.Method == http.MethodGet && f.onRead != nil {
			f.onRead(key)
		}
		objects.ServeHTTP(w, r)
	})
	stepFunctions := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct{ ExecutionArn string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("X-Amz-Target") != "AWSStepFunctions.DescribeExecution" {
			t.Errorf("Step Functions was asked %s: %v", r.Header.Get("X-Amz-Target"), err)
		}
		f.asked = append(f.asked, in.ExecutionArn)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		f.describe(w, r)
	})
	f.s3 = cloud.S3(config)
	f.store = storage.New(f.s3, bucket)
	handle := database.New(postgrestest.New(t), "prepare-test")
	t.Cleanup(func() { check(t, handle.Close()) })
	f.db, err = handle.DB()
	check(t, err)
	_, err = ledger.Migrate(context.Background(), f.db)
	check(t, err)
	f.handler = &handler{db: handle, store: f.store, executions: cloud.StepFunctions(stepFunctions)}
	return f
}

// serve answers AWS calls by h, and returns the configuration that leads there.
func serve(t *testing.T, h http.HandlerFunc) aws.Config {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// status answers DescribeExecution.
func status(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, `{"status": %q}`, s) }
}

// refusal answers DescribeExecution with an error.
func refusal(code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type": %q, "message": "the answer of the test"}`, code)
	}
}

// upload puts a file into the folder of the campaign spring-sale.
func (f *fixture) upload(t *testing.T, name, content string) {
	t.Helper()
	key := path.Join(storage.CampaignFolder("spring-sale"), name)
	_, err := f.s3.PutObject(context.Background(), &awss3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(content)})
	check(t, err)
}

// remove takes it out again.
func (f *fixture) remove(t *testing.T, name string) {
	t.Helper()
	key := path.Join(storage.CampaignFolder("spring-sale"), name)
	_, err := f.s3.DeleteObject(context.Background(), &awss3.DeleteObjectInput{Bucket: aws.String(bucket), Key: &key})
	check(t, err)
}

// uploadGood puts a whole campaign there, with the list.
func (f *fixture) uploadGood(t *testing.T, list string) {
	t.Helper()
	f.upload(t, "campaign.yaml", "from: Shop <shop@example.com>\nsubject: Hello {{.name}}\ntext: mail.txt\ndefaults: {name: Friend}\n")
	f.upload(t, "mail.txt", "Dear {{.name}}\n")
	f.upload(t, "recipients.csv", list)
}

// download reads an object as text; empty when there is none.
func (f *fixture) download(t *testing.T, key string) string {
	t.Helper()
	body, _, err := f.store.Open(context.Background(), key)
	if storage.Missing(err) {
		return ""
	}
	check(t, err)
	content, err := io.ReadAll(body)
	check(t, err)
	check(t, body.Close())
	return string(content)
}

// prepare runs the handler on event.json, with the execution if one is given.
func (f *fixture) prepare(t *testing.T, execution string) (workflow.PrepareOutput, error) {
	t.Helper()
	in := event(t)
	if execution != "" {
		in.Execution = execution
	}
	return f.handler.handle(context.Background(), in)
}

func (f *fixture) campaign(t *testing.T) *ledger.Campaign {
	t.Helper()
	c, err := ledger.Find(context.Background(), f.db, "spring-sale")
	check(t, err)
	return c
}

func event(t *testing.T) workflow.PrepareInput {
	t.Helper()
	return functiontest.Event[workflow.PrepareInput](t)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
