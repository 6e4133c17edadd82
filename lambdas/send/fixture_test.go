package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/local/s3"
	"fanmail/local/ses"
	"fanmail/shared/campaign"
	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/storage"
	"fanmail/shared/template"
	"fanmail/shared/workflow"
)

// fixture is a sender with a real database, and S3 and SES over HTTP.
type fixture struct {
	handler *handler
	// in is event.json; its batch is the whole list.
	in workflow.SendInput
	db *bun.DB
	// pauses are those that the handler asked for; none is waited.
	pauses []time.Duration
	// reads counts how often a content snapshot was read.
	reads   atomic.Int64
	mailbox *ses.Service
}

// newFixture is a running campaign with n recipients, whose seq stands in their address. fault may be nil.
func newFixture(t *testing.T, n int, fault func(*ses.Request) ses.Fault) *fixture {
	t.Helper()
	ctx := context.Background()
	f := &fixture{in: event(t)}
	f.in.Batch = workflow.Batch{Number: 1, First: 1, Last: int64(n), Pending: int64(n)}
	objects, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{f.in.Content.Bucket}})
	check(t, err)
	f.mailbox, err = ses.New(ses.Config{Directory: t.TempDir(), MaxSendRate: 10_000, Fault: fault})
	check(t, err)
	t.Cleanup(func() { check(t, f.mailbox.Close()) })
	config := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".json") {
			f.reads.Add(1)
		}
		objects.ServeHTTP(w, r)
	})
	store := storage.New(cloud.S3(config), f.in.Content.Bucket)
	snapshot := campaign.Snapshot{
		Content: campaign.Content{
			Campaign: campaign.Campaign{Name: f.in.Campaign, From: "shop@example.com", Subject: "Hello {{.name}}", Text: "mail.txt"},
			Sources:  template.Sources{Subject: "Hello {{.name}}", TextName: "mail.txt", Text: "Dear {{.name}}"},
		},
		Columns: []string{"email", "name"},
	}
	check(t, store.PutJSON(ctx, f.in.Content.Key, snapshot))
	handle := database.New(postgrestest.New(t), "fanmail-send")
	t.Cleanup(func() { check(t, handle.Close()) })
	f.db, err = handle.DB()
	check(t, err)
	_, err = ledger.Migrate(ctx, f.db)
	check(t, err)
	c, _, err := ledger.Open(ctx, f.db, ledger.Opening{Name: f.in.Campaign, Execution: f.in.Execution, Settings: []byte(`{}`), RecipientsTag: "tag"})
	check(t, err)
	seq := 0
	next := func() (ledger.Row, error) {
		if seq++; seq > n {
			return ledger.Row{}, io.EOF
		}
		address := fmt.Sprintf("r%d@example.com", seq)
		return ledger.Row{Line: seq + 1, Address: address, Fields: map[string]string{"email": address, "name": "Ann"}}, nil
	}
	err = ledger.Import(ctx, f.db, c, next, func(ledger.Duplicate) error { return nil }, func() map[string]int64 { return nil })
	check(t, err)
	f.exec(t, "update fanmail.campaign set wave_until = '2099-01-01'")
	f.handler = &handler{
		db: handle, store: store, ses: cloud.Sender(serve(t, f.mailbox.ServeHTTP), mailer.Parallel, 15*time.Second), timeout: 15 * time.Second,
		pause: func(_ context.Context, d time.Duration) { f.pauses = append(f.pauses, d) },
	}
	return f
}

// serve answers AWS calls by h, and returns the configuration that leads there.
func serve(t *testing.T, h http.HandlerFunc) aws.Config {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

func event(t *testing.T) workflow.SendInput {
	t.Helper()
	return functiontest.Event[workflow.SendInput](t)
}

// invocation is the context of an invocation with five minutes left.
func invocation(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// rows reads a column of the recipients in the order of seq.
func (f *fixture) rows(t *testing.T, column string) []string {
	t.Helper()
	var values []string
	check(t, f.db.NewRaw("select coalesce(?, '') from fanmail.recipient order by seq", bun.Ident(column)).Scan(context.Background(), &values))
	return values
}

func (f *fixture) counts(t *testing.T) ledger.Counts {
	t.Helper()
	counts, err := ledger.Count(context.Background(), f.db, f.campaign(t).ID)
	check(t, err)
	return counts
}

func (f *fixture) campaign(t *testing.T) *ledger.Campaign {
	t.Helper()
	c, err := ledger.Find(context.Background(), f.db, f.in.Campaign)
	check(t, err)
	return c
}

func (f *fixture) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := f.db.ExecContext(context.Background(), statement)
	check(t, err)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
