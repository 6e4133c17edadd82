package postgrestest

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestDatabasesAreFreshAndDropped(t *testing.T) {
	var first string
	t.Run("test that leaves a table and a connection behind", func(t *testing.T) {
		first = New(t)
		connection, err := pgx.Connect(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Exec(t.Context(), "CREATE TABLE left_behind (n int)"); err != nil {
			t.Fatal(err)
		}
		second := New(t)
		if first == second {
			t.Fatalf("two tests got the same database %s", first)
		}
		other, err := pgx.Connect(t.Context(), second)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close(t.Context())
		var tables int
		if err := other.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables != 0 {
			t.Errorf("a fresh database has %d tables, error %v", tables, err)
		}
	})
	if connection, err := pgx.Connect(t.Context(), first); err == nil {
		connection.Close(t.Context())
		t.Errorf("%s is still there after its test", first)
	}
}

func TestOnlyOldDatabasesOfKilledRunsAreDropped(t *testing.T) {
	server, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	old, young := databaseName(time.Now().Add(-3*time.Hour)), databaseName(time.Now())
	for _, name := range []string{old, young} {
		if err := execute(server, "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = execute(server, "DROP DATABASE "+young) })
	if err := dropAbandoned(context.Background(), server, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := execute(server, "DROP DATABASE "+old); err == nil {
		t.Errorf("%s should have been dropped", old)
	}
	if err := execute(server, "ALTER DATABASE "+young+" CONNECTION LIMIT 1"); err != nil {
		t.Errorf("%s should be there: %v", young, err)
	}
}

func TestSharedServerOutlivesTheGarbageCollector(t *testing.T) {
	address := New(t)
	for range 3 {
		runtime.GC()
	}
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())
	// A watchdog that had been let go would stop the server within this time.
	if _, err := connection.Exec(t.Context(), "SELECT pg_sleep(0.3)"); err != nil {
		t.Fatal(err)
	}
}
