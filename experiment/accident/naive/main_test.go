package main

import (
	"database/sql"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"fanmail/local/postgres/postgrestest"
	"fanmail/local/ses"
	"fanmail/shared/ledger"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryInvocationMailsItsBatchAndLeavesItsConnectionOpen holds the fixture to both halves of what it stands for: it is a
// sender that works, and it never gives its connection back.
func TestEveryInvocationMailsItsBatchAndLeavesItsConnectionOpen(t *testing.T) {
	ctx, url := t.Context(), postgrestest.New(t)
	t.Setenv("DATABASE_URL", url)
	db, err := sql.Open("pgx", url)
	check(t, err)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	_, err = ledger.Migrate(ctx, bun.NewDB(db, pgdialect.New()))
	check(t, err)
	for _, statement := range []string{
		"insert into fanmail.campaign (name, state, execution, settings, recipients_tag) values ('spring-sale', 'running', 'e', '{}', '')",
		`insert into fanmail.recipient (campaign_id, seq, line, address, fields)
			select id, i, i, 'r' || i || '@example.com', '{"name": "R"}' from fanmail.campaign, generate_series(1, 6) i`,
		"update fanmail.recipient set state = 'suppressed' where seq = 2",
	} {
		_, err := db.ExecContext(ctx, statement)
		check(t, err)
	}
	count := func(query string) (n int) {
		t.Helper()
		check(t, db.QueryRowContext(ctx, query).Scan(&n))
		return n
	}
	sessions := func() int {
		return count("select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'")
	}
	mailbox, err := ses.New(ses.Config{Directory: t.TempDir(), MaxSendRate: 1000})
	check(t, err)
	t.Cleanup(func() { check(t, mailbox.Close()) })
	server := httptest.NewServer(mailbox)
	t.Cleanup(server.Close)
	client := sesv2.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})

	before := sessions()
	for i, batch := range []struct{ first, last, sent int64 }{{1, 3, 2}, {4, 6, 3}, {4, 6, 0}} {
		in := input{Campaign: "spring-sale"}
		in.Batch.First, in.Batch.Last = batch.first, batch.last
		out, err := handle(ctx, client, in)
		if err != nil || out.Sent != batch.sent {
			t.Errorf("recipients %d to %d: sent %d, %v, want %d", batch.first, batch.last, out.Sent, err, batch.sent)
		}
		if got := sessions() - before; got != i+1 {
			t.Errorf("after %d invocations there are %d sessions more", i+1, got)
		}
	}
	if recorded := count("select count(*) from fanmail.recipient where state = 'sent'"); recorded != 5 || mailbox.Accepted() != 5 {
		t.Errorf("%d are recorded, %d in the mailbox", recorded, mailbox.Accepted())
	}
}
