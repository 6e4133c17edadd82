package ledger_test

import (
	"context"
	"io"
	"testing"

	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
)

const execution = "arn:aws:states:us-east-1:000000000000:execution:fanmail-test-campaign:spring-sale-1"

// open returns a migrated database.
func open(t testing.TB) *bun.DB {
	t.Helper()
	db := session(t, postgrestest.New(t))
	if _, err := ledger.Migrate(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

// session opens a session of its own.
func session(t testing.TB, dsn string) *bun.DB {
	t.Helper()
	handle := database.New(dsn, "ledger-test")
	t.Cleanup(func() { _ = handle.Close() })
	db, err := handle.DB()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// rows yields the addresses as the lines 2, 3, ... of a file.
func rows(addresses ...string) func() (ledger.Row, error) {
	line := 1
	return func() (ledger.Row, error) {
		if line > len(addresses) {
			return ledger.Row{}, io.EOF
		}
		line++
		address := addresses[line-2]
		return ledger.Row{Line: line, Address: address, Fields: map[string]string{"email": address, "name": "a\tb\\c\nd'e"}}, nil
	}
}

// start opens a campaign and imports the addresses.
func start(t testing.TB, db *bun.DB, addresses ...string) *ledger.Campaign {
	t.Helper()
	ctx := context.Background()
	c, ok, err := ledger.Open(ctx, db, ledger.Opening{Name: "spring-sale", Execution: execution, Settings: []byte(`{}`), RecipientsTag: "tag"})
	if err != nil || !ok {
		t.Fatalf("open: ok %v, %v", ok, err)
	}
	err = ledger.Import(ctx, db, c, rows(addresses...), func(ledger.Duplicate) error { return nil }, func() map[string]int64 { return map[string]int64{} })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "update fanmail.campaign set wave_until = '2099-01-01'"); err != nil {
		t.Fatal(err)
	}
	return c
}
