package database_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/workflow"
)

func pid(t *testing.T, db *bun.DB) int {
	t.Helper()
	var pid int
	if err := db.NewRaw("select pg_backend_pid()").Scan(context.Background(), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestTheHandleIsWarmAndNamesItsFunction(t *testing.T) {
	handle := database.New(postgrestest.New(t), "fanmail-send")
	defer func() { _ = handle.Close() }()
	first, err := handle.DB()
	if err != nil {
		t.Fatal(err)
	}
	before := pid(t, first)
	second, err := handle.DB()
	if err != nil {
		t.Fatal(err)
	}
	if after := pid(t, second); first != second || before != after {
		t.Errorf("the second invocation got another connection (%d, %d)", before, after)
	}
	var name string
	if err := second.NewRaw("select application_name from pg_stat_activity where pid = pg_backend_pid()").Scan(context.Background(), &name); err != nil {
		t.Fatal(err)
	}
	if name != "fanmail-send" {
		t.Errorf("application_name is %q", name)
	}
}

func TestAConnectionThatDiedBetweenInvocationsIsReplaced(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	for _, test := range []struct {
		name string
		kill func(*testing.T, *postgres.Server, int)
	}{
		{"terminated", func(t *testing.T, server *postgres.Server, pid int) {
			admin := database.New(server.URL(), "admin")
			defer func() { _ = admin.Close() }()
			db, err := admin.DB()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(context.Background(), "select pg_terminate_backend(?)", pid); err != nil {
				t.Fatal(err)
			}
		}},
		{"server restarted", func(t *testing.T, server *postgres.Server, _ int) {
			if err := server.Restart(context.Background()); err != nil {
				t.Fatal(err)
			}
		}},
		{"server crashed and restarted", func(t *testing.T, server *postgres.Server, _ int) {
			if err := errors.Join(server.Kill(), server.Restart(context.Background())); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			handle := database.New(server.URL(), "fanmail-test")
			defer func() { _ = handle.Close() }()
			db, err := handle.DB()
			if err != nil {
				t.Fatal(err)
			}
			before := pid(t, db)
			test.kill(t, server, before)
			if db, err = handle.DB(); err != nil {
				t.Fatal(err)
			}
			pid(t, db)
		})
	}
}

func TestAFirstConnectThatFailedIsTriedAgain(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	handle := database.New(server.URL(), "fanmail-test")
	defer func() { _ = handle.Close() }()
	db, err := handle.DB()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PingContext(context.Background()); err == nil {
		t.Fatal("connected to a server that is down")
	}
	if err := server.Restart(context.Background()); err != nil {
		t.Fatal(err)
	}
	if db, err = handle.DB(); err != nil {
		t.Fatal(err)
	}
	pid(t, db)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	good := postgrestest.New(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	change := func(f func(*url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		f(u)
		return u.String()
	}
	for _, test := range []struct{ name, dsn, statement, want string }{
		{"missing", "", "", "DATABASE_URL is not set"},
		{"malformed", "postgres://user:secret@host:port/db", "", "malformed"},
		{"unreachable", change(func(u *url.URL) { u.Host = closed.Addr().String() }), "select 1", "can't be reached at " + closed.Addr().String()},
		{"unknown host", change(func(u *url.URL) { u.Host = "no-such-host.invalid:5432" }), "select 1", "can't be reached at no-such-host.invalid:5432"},
		{"wrong password", change(func(u *url.URL) { u.User = url.UserPassword("nobody-at-all", "wrong") }), "select 1", "check the user and the password"},
		{"unknown database", change(func(u *url.URL) { u.Path = "/no_such_database" }), "select 1", "create it, or mend the name"},
		{"not migrated", good, "select * from fanmail.campaign", "run the migrate function first"},
		{"out of disk", good, "do $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$", "free or add disk space"},
	} {
		t.Run(test.name, func(t *testing.T) {
			handle := database.New(test.dsn, "fanmail-test")
			defer func() { _ = handle.Close() }()
			db, err := handle.DB()
			if err == nil {
				_, err = db.ExecContext(context.Background(), test.statement)
			}
			err = database.Explain(err)
			var passing *workflow.Interrupted
			if passes := test.name == "unreachable"; errors.As(err, &passing) != passes || workflow.Named(err) == nil {
				t.Fatalf("error %T %v, want Interrupted: %v", err, err, passes)
			}
			if message := err.Error(); !strings.Contains(message, test.want) || strings.Contains(message, "\n") || strings.Contains(message, "secret") {
				t.Errorf("%q, want one line with %q", message, test.want)
			}
		})
	}
}

func TestTooManyConnectionsIsBusyAndNotFailed(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{MaxConnections: 5})
	ctx := context.Background()
	var last error
	for range 8 {
		handle := database.New(server.URL(), "fanmail-test")
		defer func() { _ = handle.Close() }()
		db, err := handle.DB()
		if err != nil {
			t.Fatal(err)
		}
		if last = db.PingContext(ctx); last != nil {
			break
		}
	}
	var busy *workflow.DatabaseBusy
	if !errors.As(database.Explain(last), &busy) {
		t.Fatalf("error %v, want DatabaseBusy", last)
	}
}
