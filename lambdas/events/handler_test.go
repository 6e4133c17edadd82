package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// TestMain makes this test binary the function, too.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const (
	campaignTag = "7b2f6a4e-3f0c-4d57-9a43-0e6f0f3c2b11"
	claim       = "c0a80121-7ac0-4b1c-9d2e-5f6a7b8c9d0e"
)

type fixture struct {
	*handler
	db  *bun.DB
	dsn string
	log *bytes.Buffer
}

// newFixture has a campaign of three recipients, none of them mailed.
func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{dsn: postgrestest.New(t), log: &bytes.Buffer{}}
	f.handler = &handler{db: database.New(f.dsn, "events-test")}
	t.Cleanup(func() { _ = f.handler.db.Close() })
	var err error
	if f.db, err = f.handler.db.DB(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := ledger.Migrate(ctx, f.db); err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.Open(ctx, f.db, ledger.Opening{Name: "spring-sale", Execution: "arn:1", Settings: []byte(`{}`), RecipientsTag: "tag"})
	if err != nil {
		t.Fatal(err)
	}
	line := 1
	next := func() (ledger.Row, error) {
		if line++; line > 4 {
			return ledger.Row{}, io.EOF
		}
		return ledger.Row{Line: line, Address: string(rune('a'+line-2)) + "@example.com"}, nil
	}
	if err := ledger.Import(ctx, f.db, c, next, func(ledger.Duplicate) error { return nil }, func() map[string]int64 { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := f.db.Exec("update fanmail.campaign set tag = ?", campaignTag); err != nil {
		t.Fatal(err)
	}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(f.log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return f
}

// states are the states of the recipients in order, with what is delivered.
func (f fixture) states(t *testing.T) (line string) {
	t.Helper()
	err := f.db.NewRaw(`select string_agg(state || case when delivered_at is null then '' else ' delivered' end, ', ' order by seq)
		from fanmail.recipient`).Scan(context.Background(), &line)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// body is a Delivery event of a message to a recipient.
func body(seq any, message string) string {
	return fmt.Sprintf(`{"eventType":"Delivery","mail":{"timestamp":"2024-11-23T09:00:00.123Z","messageId":"%s","tags":{`+
		`"fanmail-campaign":["spring-sale"],"fanmail-id":[%q],"fanmail-seq":["%v"],"fanmail-claim":[%q]}},"delivery":{"timestamp":"2024-11-23T09:00:01Z"}}`,
		message, campaignTag, seq, claim)
}

// batchOf is a batch of messages with the ids m0, m1, ...
func batchOf(bodies ...string) (in events.SQSEvent) {
	for i, b := range bodies {
		in.Records = append(in.Records, events.SQSMessage{MessageId: fmt.Sprintf("m%d", i), Body: b})
	}
	return in
}

func failed(out events.SQSEventResponse) string {
	var ids []string
	for _, f := range out.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return strings.Join(ids, " ")
}

func TestTheSampleEventSettlesItsRecipient(t *testing.T) {
	f := newFixture(t)
	out, err := f.handle(context.Background(), functiontest.Event[events.SQSEvent](t))
	if err != nil || failed(out) != "" {
		t.Fatalf("%v, failed %q", err, failed(out))
	}
	if got := f.states(t); got != "sent delivered, pending, pending" {
		t.Errorf("recipients are %s", got)
	}
	answer, err := json.Marshal(out)
	if err != nil || string(answer) != `{"batchItemFailures":[]}` {
		t.Errorf("the answer is %s, %v", answer, err)
	}
}

// Each of these could make PostgreSQL refuse a whole statement, or is no event at all.
func TestAPoisonedMessageHurtsNoNeighbour(t *testing.T) {
	swap := strings.NewReplacer
	good := body(2, "good")
	for _, poison := range []string{
		"", "hello", "{}", good[:len(good)/2], "\xff\xfe", "\x00",
		body("9223372036854775808", "p"), body(-1, "p"), body("1'; drop table fanmail.recipient; --", "p"), body("1", `p\u0000`), body(1, ""),
		swap("2024-11-23T09:00:01Z", "0000-01-01T00:00:00Z").Replace(body(1, "p")),
		swap("2024-11-23T09:00:00.123Z", "294277-01-01T00:00:00Z").Replace(body(1, "p")),
		swap("spring-sale", `spring\u0000sale`).Replace(body(1, "p")),
		swap(campaignTag, "no-uuid").Replace(body(1, "p")), swap(claim, "").Replace(body(1, "p")),
		swap("Delivery", "Bounce", "delivery", "bounce").Replace(body(1, "p")),
	} {
		t.Run(fmt.Sprintf("%.40q", poison), func(t *testing.T) {
			f := newFixture(t)
			out, err := f.handle(context.Background(), batchOf(body(1, "first"), poison, body(3, "last")))
			if err != nil || failed(out) != "m1" {
				t.Errorf("%v, failed %q, want m1", err, failed(out))
			}
			if got := f.states(t); got != "sent delivered, pending, sent delivered" {
				t.Errorf("recipients are %s", got)
			}
			lines := strings.Split(strings.TrimSpace(f.log.String()), "\n")
			if len(lines) != 2 || !strings.Contains(lines[0], `"message":"m1","reason":"`) || !strings.Contains(lines[1], `"malformed":1`) {
				t.Errorf("the log is\n%s", f.log)
			}
		})
	}
}

// Whatever PostgreSQL could mind is in texts that are only quoted.
func TestAStrangeReasonIsRecorded(t *testing.T) {
	f := newFixture(t)
	strange := strings.Replace(body(1, "p"), `"delivery":{"timestamp":"2024-11-23T09:00:01Z"}`, `"reject":{"reason":"a\u0000\ud800 ?0 'quoted' \\u0000"}`, 1)
	out, err := f.handle(context.Background(), batchOf(strings.Replace(strange, "Delivery", "Reject", 1), body(2, "good")))
	if err != nil || failed(out) != "" {
		t.Fatalf("%v, failed %q", err, failed(out))
	}
	if got := f.states(t); got != "failed, sent delivered, pending" {
		t.Errorf("recipients are %s", got)
	}
}

func TestOneLineCountsWhatWasSkippedAndWhy(t *testing.T) {
	f := newFixture(t)
	foreign := strings.ReplaceAll(body(1, "x"), "fanmail-", "other-")
	probe := strings.Replace(body(1, "x"), `"fanmail-seq"`, `"fanmail-probe":["1"],"fanmail-seq"`, 1)
	elsewhere := strings.Replace(body(1, "x"), campaignTag, uuid.NewString(), 1)
	out, err := f.handle(context.Background(), batchOf(body(1, "m"), foreign, foreign, elsewhere, probe, strings.Replace(body(1, "x"), "Delivery", "Novelty", 1),
		"Successfully validated SNS topic for Amazon SES event publishing."))
	if err != nil || failed(out) != "" {
		t.Fatalf("%v, failed %q", err, failed(out))
	}
	want := `"messages":7,"events":2,"probes":0,"malformed":0,"written":1,"unknown":1,` +
		`"skipped":{"not of Fanmail":2,"unknown eventType":1,"validation of the SNS topic":1,"what became of a probe":1}}` + "\n"
	if got := f.log.String(); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, want) {
		t.Errorf("the log is\n%s", got)
	}
}

func TestSomebodyMailedTwiceIsAnErrorInTheLogWithBothIDs(t *testing.T) {
	f := newFixture(t)
	if _, err := f.handle(context.Background(), batchOf(body(1, "one"), body(1, "two"))); err != nil {
		t.Fatal(err)
	}
	if want := `"level":"ERROR","msg":"a recipient was mailed twice","campaign":"spring-sale","seq":1,"recorded":"one","other":"two"`; !strings.Contains(f.log.String(), want) {
		t.Errorf("the log is\n%s", f.log)
	}
}

func TestWithoutTheDatabaseTheWholeBatchComesBack(t *testing.T) {
	h := &handler{db: database.New("postgres://nobody@127.0.0.1:1/none?connect_timeout=1", "events-test")}
	t.Cleanup(func() { _ = h.db.Close() })
	if _, err := h.handle(context.Background(), batchOf(body(1, "m"))); workflow.Named(database.Explain(err)) == nil {
		t.Errorf("got %T %v, want an error that gets a name", err, err)
	}
	// A batch without a concern of ours asks for no connection.
	if out, err := h.handle(context.Background(), batchOf("hello")); err != nil || failed(out) != "m0" {
		t.Errorf("%v, failed %q", err, failed(out))
	}
}

// AWS may add fields to what it invokes the function with; the function must not mind.
func TestTheFunctionTakesFieldsThatItDoesNotKnow(t *testing.T) {
	f := newFixture(t)
	text, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	novel := strings.Replace(string(text), `"messageId"`, `"novelty": {"a": [1]}, "messageId"`, 1)
	host, answers := functiontest.RuntimeAPI(t, novel)
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+host, "DATABASE_URL="+f.dsn)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = process.Process.Kill(); _ = process.Wait() }()
	select {
	case answer := <-answers:
		if answer != `response {"batchItemFailures":[]}` {
			t.Errorf("the answer is %s", answer)
		}
	case <-time.After(time.Minute):
		t.Fatal("no answer")
	}
	if got := f.states(t); got != "sent delivered, pending, pending" {
		t.Errorf("recipients are %s", got)
	}
}
