// Package postgrestest gives tests databases on a real PostgreSQL server.
package postgrestest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
)

// timeout bounds each statement of this package, and a start of the server twice that.
const timeout = time.Minute

// shared is the server of this test process: that of DATABASE_URL if set, else a private one, started when the first
// test asks. Nobody stops the private one: package postgres does, when the test process ends, however it ends, so no
// TestMain is needed.
var shared = sync.OnceValues(func() (string, error) {
	if address := os.Getenv("DATABASE_URL"); address != "" {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		return address, dropAbandoned(ctx, address, time.Now())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Config{})
	if err != nil {
		return "", err
	}
	return server.URL(), nil
})

// New returns the URL of a fresh, empty database for a superuser (or the user of DATABASE_URL, if set, who must be allowed
// to create databases). It is dropped at the end of the test, together with whoever is still connected.
func New(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(server)
	if err != nil || address.Host == "" {
		t.Fatal("DATABASE_URL must be a URL: postgres://user:password@host/database")
	}
	name := databaseName(time.Now())
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	address.Path = "/" + name
	return address.String()
}

// Server returns a server that belongs to this test alone, which it may kill and restart. It is stopped at the end of the
// test.
func Server(t testing.TB, config postgres.Config) *postgres.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*timeout)
	defer cancel()
	server, err := postgres.Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	if _, err := connection.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

var databasePattern = regexp.MustCompile(`^fanmail_test_(\d+)_[a-z0-9]+$`)

func databaseName(now time.Time) string {
	return fmt.Sprintf("fanmail_test_%d_%s", now.Unix(), strings.ToLower(rand.Text()[:12]))
}

// dropAbandoned removes from a server that is not ours what killed test runs left there: our databases that are older than
// any test run.
func dropAbandoned(ctx context.Context, server string, now time.Time) error {
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connecting to DATABASE_URL: %w", err)
	}
	defer connection.Close(ctx)
	rows, _ := connection.Query(ctx, "SELECT datname FROM pg_database WHERE datname LIKE 'fanmail\\_test\\_%'")
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		match := databasePattern.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		if seconds, err := strconv.ParseInt(match[1], 10, 64); err != nil || now.Sub(time.Unix(seconds, 0)) < 2*time.Hour {
			continue
		}
		// IF EXISTS: another test run may be cleaning up, too.
		if _, err := connection.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("dropping the abandoned database %s: %w", name, err)
		}
	}
	return nil
}
