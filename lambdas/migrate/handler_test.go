package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func event(t *testing.T) input {
	t.Helper()
	return functiontest.Event[input](t)
}

// functionOf returns the handler as main makes it for these two URLs; "" is no administrator.
func functionOf(t *testing.T, adminURL, functionsURL string) *handler {
	t.Helper()
	h := &handler{functions: database.New(functionsURL, "fanmail-migrate"), limit: 3}
	h.db = h.functions
	if adminURL != "" {
		h.db = database.New(adminURL, "fanmail-migrate")
	}
	t.Cleanup(func() { _ = h.db.Close() })
	return h
}

// newRole returns the URL of the database for a role that does not exist yet. It is dropped at the end of the test.
func newRole(t *testing.T, admin string) (name, url string) {
	t.Helper()
	name = "fanmail_test_" + strings.ToLower(rand.Text()[:12])
	t.Cleanup(func() {
		execute(t, admin, fmt.Sprintf("do $$ begin if exists (select from pg_roles where rolname = '%[1]s') then drop owned by %[1]s cascade; drop role %[1]s; end if; end $$", name))
	})
	return name, as(t, admin, name, "it's secret")
}

func as(t *testing.T, dsn, user, password string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestTheLedgerIsMadeOnceAndThenUpToDate(t *testing.T) {
	admin := postgrestest.New(t)
	_, functions := newRole(t, admin)
	h, ctx := functionOf(t, admin, functions), context.Background()
	first, err := h.handle(ctx, event(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Applied) == 0 {
		t.Error("an empty database needed no migration")
	}
	// The role logs in and sees the ledger.
	t.Cleanup(func() { _ = h.functions.Close() })
	pool, err := h.functions.DB()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ledger.Find(ctx, pool, "spring-sale"); c != nil || err != nil {
		t.Errorf("the new ledger answers %+v, %v", c, err)
	}
	second, err := h.handle(ctx, event(t))
	if err != nil {
		t.Fatal(err)
	}
	// The CLI counts the list, so it must be there even when it is empty.
	if answer, _ := json.Marshal(second); string(answer) != `{"applied":[]}` {
		t.Errorf("the second run answers %s", answer)
	}
}

func TestWithoutADatabaseURLTheErrorSaysWhatToSet(t *testing.T) {
	_, err := functionOf(t, "", "").handle(context.Background(), input{})
	var failed *workflow.DatabaseFailed
	if !errors.As(err, &failed) {
		t.Errorf("got %v, want DatabaseFailed", err)
	}
}

func TestWithoutAnAdministratorTheStatementsAreListed(t *testing.T) {
	admin := postgrestest.New(t)
	name, functions := newRole(t, admin)
	execute(t, admin, fmt.Sprintf("create role %[1]s login password 'it''s secret'; do $$ begin execute 'grant create on database ' || current_database() || ' to %[1]s'; end $$", name))
	h := functionOf(t, "", functions)
	out, err := h.handle(t.Context(), input{})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Applied) == 0 || !strings.Contains(out.Reason, "DATABASE_ADMIN_URL") {
		t.Errorf("%+v", out)
	}
	list := strings.Join(out.Statements, "; ")
	if want := fmt.Sprintf(`ALTER ROLE "%[1]s" LOGIN CONNECTION LIMIT 3; ALTER ROLE "%[1]s" SET idle_session_timeout = '90s'`, name); !strings.HasPrefix(list, want) || strings.Contains(list, "secret") {
		t.Errorf("%s\nwant %s", list, want)
	}
	execute(t, admin, list)
	if out, err = h.handle(t.Context(), input{}); err != nil || out.Statements != nil || out.Reason != "" {
		t.Errorf("they were run by hand: %+v %v", out, err)
	}
}
