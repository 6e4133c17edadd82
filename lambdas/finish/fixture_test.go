package main

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
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

// fixture is Finish with a real database, and S3 over HTTP.
type fixture struct {
	handler *handler
	db      *bun.DB
}

// newFixture is a running campaign of the execution of event.json, with n pending recipients and two rejected lines.
func newFixture(t *testing.T, n int) *fixture {
	t.Helper()
	ctx := context.Background()
	objects, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{bucket}})
	check(t, err)
	server := httptest.NewServer(objects)
	t.Cleanup(server.Close)
	config := aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	handle := database.New(postgrestest.New(t), "finish-test")
	t.Cleanup(func() { check(t, handle.Close()) })
	db, err := handle.DB()
	check(t, err)
	_, err = ledger.Migrate(ctx, db)
	check(t, err)
	c, _, err := ledger.Open(ctx, db, ledger.Opening{Name: "spring-sale", Execution: event(t).Execution, Settings: []byte(`{}`), RecipientsTag: "tag"})
	check(t, err)
	line := 1
	next := func() (ledger.Row, error) {
		if line++; line > n+1 {
			return ledger.Row{}, io.EOF
		}
		return ledger.Row{Line: line, Address: fmt.Sprintf("r%d@example.com", line-1)}, nil
	}
	rejected := func() map[string]int64 { return map[string]int64{"not an address": 2} }
	err = ledger.Import(ctx, db, c, next, func(ledger.Duplicate) error { return nil }, rejected)
	check(t, err)
	return &fixture{handler: &handler{db: handle, store: storage.New(cloud.S3(config), bucket)}, db: db}
}

func (f *fixture) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := f.db.ExecContext(context.Background(), statement)
	check(t, err)
}

func (f *fixture) campaign(t *testing.T) *ledger.Campaign {
	t.Helper()
	c, err := ledger.Find(context.Background(), f.db, "spring-sale")
	check(t, err)
	return c
}

// download reads an object as text; empty when there is none.
func (f *fixture) download(t *testing.T, key string) string {
	t.Helper()
	body, _, err := f.handler.store.Open(context.Background(), key)
	if storage.Missing(err) {
		return ""
	}
	check(t, err)
	content, err := io.ReadAll(body)
	check(t, err)
	check(t, body.Close())
	return string(content)
}

func event(t *testing.T) workflow.FinishInput {
	t.Helper()
	return functiontest.Event[workflow.FinishInput](t)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
