package local

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres/postgrestest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestThePeakIsKept(t *testing.T) {
	url := postgrestest.New(t)
	ctx := t.Context()
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.WithoutCancel(ctx)) })
		return conn
	}
	connect()
	c, err := watch(ctx, url, "postgres", quiet)
	if err != nil {
		t.Fatal(err)
	}
	if c.Baseline() != 1 || c.Peak() != 1 {
		t.Errorf("baseline %d, peak %d: our own session does not count", c.Baseline(), c.Peak())
	}
	conns := []*pgx.Conn{connect(), connect(), connect()}
	await(t, func() bool { return c.Peak() == 4 })
	for _, conn := range conns {
		conn.Close(ctx)
	}
	await(t, func() bool { return c.Current() == 1 })

	// A session that is cut off is replaced.
	if _, err := connect().Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '"+watcher+"'"); err != nil {
		t.Fatal(err)
	}
	samples := c.Samples()
	await(t, func() bool { return c.Samples() > samples+2 })
	if err := c.close(); err != nil {
		t.Error(err)
	}
	if c.Peak() != 4 || c.Baseline() != 1 {
		t.Errorf("peak %d, baseline %d", c.Peak(), c.Baseline())
	}
	highest := 0
	history := c.History()
	for i, sample := range history {
		highest = max(highest, sample.Sessions)
		if i > 0 && sample.At.Before(history[i-1].At) || i > 1 && sample.Sessions == history[i-1].Sessions && sample.Sessions == history[i-2].Sessions {
			t.Errorf("sample %d of %+v", i, history)
		}
	}
	if len(history) < 3 || history[0].Sessions != 1 || highest != 4 {
		t.Errorf("history: %+v", history)
	}
}

func TestADatabaseThatCanNotBeReachedIsAnError(t *testing.T) {
	for _, url := range []string{"postgres://x@127.0.0.1:1/x", "postgres://%"} {
		if _, err := watch(t.Context(), url, "postgres", quiet); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}

// await polls what another process brings about.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen within 20 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
