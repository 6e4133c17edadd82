package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const bucket = "fanmail-local"

// fixture is Plan with a real database, and S3 and SES over HTTP.
type fixture struct {
	// lastWave is what the state machine would pass to the next plan.
	lastWave int
	handler  *handler
	db       *bun.DB
	mailbox  *ses.Service
	// account answers GetAccount instead of mailbox, if set; asked counts the calls.
	account http.HandlerFunc
	asked   int
	// onWrite, if set, is called before an object is written.
	onWrite func()
}

// newFixture is a running campaign with n pending recipients. The account sends 1,000 a second, the deployment allows 10
// senders.
func newFixture(t *testing.T, n int, settings campaign.Campaign) *fixture {
	t.Helper()
	ctx, in := context.Background(), event(t)
	f := &fixture{}
	objects, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{bucket}})
	check(t, err)
	f.mailbox, err = ses.New(ses.Config{Directory: t.TempDir(), MaxSendRate: 1000, Max24HourSend: -1})
	check(t, err)
	t.Cleanup(func() { check(t, f.mailbox.Close()) })
	s3Config := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && f.onWrite != nil {
			f.onWrite()
		}
		objects.ServeHTTP(w, r)
	})
	sesConfig := serve(t, func(w http.ResponseWriter, r *http.Request) {
		f.asked++
		if f.account != nil {
			f.account(w, r)
			return
		}
		f.mailbox.ServeHTTP(w, r)
	})
	handle := database.New(postgrestest.New(t), "plan-test")
	t.Cleanup(func() { check(t, handle.Close()) })
	f.db, err = handle.DB()
	check(t, err)
	_, err = ledger.Migrate(ctx, f.db)
	check(t, err)
	settings.Name = in.Campaign
	stored, err := json.Marshal(settings)
	check(t, err)
	c, _, err := ledger.Open(ctx, f.db, ledger.Opening{Name: in.Campaign, Execution: in.Execution, Settings: stored, RecipientsTag: "tag"})
	check(t, err)
	line := 1
	next := func() (ledger.Row, error) {
		if line++; line > n+1 {
			return ledger.Row{}, io.EOF
		}
		return ledger.Row{Line: line, Address: fmt.Sprintf("r%d@example.com", line-1)}, nil
	}
	err = ledger.Import(ctx, f.db, c, next, func(ledger.Duplicate) error { return nil }, func() map[string]int64 { return nil })
	check(t, err)
	f.handler = &handler{db: handle, account: cloud.Account(sesConfig), store: storage.New(cloud.S3(s3Config), bucket), senders: 10, bound: 18, grace: 15 * time.Minute, probes: cloud.Sender(sesConfig, 1, 15*time.Second)}
	return f
}

// serve answers AWS calls by h, and returns the configuration that leads there.
func serve(t *testing.T, h http.HandlerFunc) aws.Config {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// plan runs the handler on event.json.
func (f *fixture) plan(t *testing.T) (workflow.PlanOutput, error) {
	t.Helper()
	in := event(t)
	in.Wave = f.lastWave
	out, err := f.handler.handle(context.Background(), in)
	if out.Next == workflow.NextSend {
		f.lastWave = out.Wave
	}
	return out, err
}

// settle marks the first n recipients as sent.
func (f *fixture) settle(t *testing.T, n int) {
	f.exec(t, fmt.Sprintf("update fanmail.recipient set state = 'sent', claim = gen_random_uuid(), settled_at = now() where seq <= %d", n))
}

func (f *fixture) exec(t *testing.T, statement string) {
	t.Helper()
	_, err := f.db.ExecContext(context.Background(), statement)
	check(t, err)
}

func (f *fixture) campaign(t *testing.T) *ledger.Campaign {
	t.Helper()
	c, err := ledger.Find(context.Background(), f.db, event(t).Campaign)
	check(t, err)
	return c
}

// manifest reads a manifest as text.
func (f *fixture) manifest(t *testing.T, object workflow.Object) string {
	t.Helper()
	body, _, err := f.handler.store.Open(context.Background(), object.Key)
	check(t, err)
	content, err := io.ReadAll(body)
	check(t, err)
	check(t, body.Close())
	return string(content)
}

// mails are the messages that SES has accepted, in order.
func (f *fixture) mails(t *testing.T) []ses.Entry {
	t.Helper()
	var lines bytes.Buffer
	check(t, f.mailbox.Mailbox(&lines))
	var entries []ses.Entry
	for decoder := json.NewDecoder(&lines); decoder.More(); {
		var entry ses.Entry
		check(t, decoder.Decode(&entry))
		entries = append(entries, entry)
	}
	return entries
}

func event(t *testing.T) workflow.PlanInput {
	t.Helper()
	return functiontest.Event[workflow.PlanInput](t)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
