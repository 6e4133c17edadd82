package ledger_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func handle(t *testing.T, dsn, application string) *database.Handle {
	t.Helper()
	h := database.New(dsn, application)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func opened(t *testing.T, dsn string) *bun.DB {
	t.Helper()
	db, err := handle(t, dsn, "fanmail-migrate").DB()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func migrated(t *testing.T, dsn string) *bun.DB {
	t.Helper()
	db := opened(t, dsn)
	if _, err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
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

func limit(t *testing.T, db *bun.DB, role ledger.Role) {
	t.Helper()
	if byHand, reason, err := role.Limit(t.Context(), db); err != nil || byHand != nil || reason != "" {
		t.Fatalf("by hand %q, %s, %v", byHand, reason, err)
	}
}

func execute(t *testing.T, db *bun.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// await polls what the server brings about.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestTheServerItselfHoldsTheBound(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	admin := migrated(t, server.URL())
	const bound = 3
	limit(t, admin, ledger.Role{Name: "fanmail", Password: "it's", ConnectionLimit: bound})
	execute(t, admin, "create role other login password 'other'")
	functions := as(t, server.URL(), "fanmail", "it's")
	ping := func(h *database.Handle) error {
		db, err := h.DB()
		if err == nil {
			err = db.PingContext(t.Context())
		}
		return database.Explain(err)
	}
	var held []*database.Handle
	for range bound {
		h := handle(t, functions, "fanmail-send")
		if err := ping(h); err != nil {
			t.Fatal(err)
		}
		held = append(held, h)
	}
	late := handle(t, functions, "fanmail-send")
	var busy *workflow.DatabaseBusy
	if err := ping(late); !errors.As(err, &busy) || !strings.Contains(busy.Message, "too many connections for role") {
		t.Errorf("session %d: %T %v", bound+1, err, err)
	}
	if err := ping(handle(t, as(t, server.URL(), "other", "other"), "other")); err != nil {
		t.Errorf("another user of the database: %v", err)
	}
	// The same handle serves as soon as a slot is free.
	if err := held[0].Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the freed slot", func() bool { return ping(late) == nil })

	// Idle sessions end, and their owners do not notice.
	execute(t, admin, "alter role fanmail set idle_session_timeout = '300ms'")
	for _, h := range held[1:] {
		_ = h.Close()
	}
	_ = late.Close()
	frozen := handle(t, functions, "fanmail-send")
	await(t, "a slot", func() bool { return ping(frozen) == nil })
	await(t, "the end of the idle session", func() bool {
		var n int
		if err := admin.NewRaw("select count(*) from pg_stat_activity where usename = 'fanmail'").Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
	if err := ping(frozen); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func TestTheRoleMayDoWhatTheFunctionsDo(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	admin := migrated(t, server.URL())
	role := ledger.Role{Name: `odd "role"`, Password: "pässword", ConnectionLimit: 2, IAM: true}
	execute(t, admin, "revoke connect on database fanmail from public; create role rds_iam")
	for range 2 {
		limit(t, admin, role)
	}
	role.ConnectionLimit = 5
	limit(t, admin, role)
	// What a later migration creates is for the role, too.
	execute(t, admin, "create table fanmail.later (id bigint generated always as identity)")
	functions := opened(t, as(t, server.URL(), role.Name, role.Password))
	execute(t, functions, "insert into fanmail.later default values; select count(*) from fanmail.campaign")
	start(t, functions, "ann@example.com", "bob@example.com")
	if _, err := functions.ExecContext(t.Context(), "create table fanmail.mine ()"); err == nil {
		t.Error("the role may create tables")
	}
	for name, want := range map[string]string{
		"idle_session_timeout": "90s", "idle_in_transaction_session_timeout": "1min", "statement_timeout": "14min", "lock_timeout": "2min", "client_connection_check_interval": "10s",
	} {
		var got string
		if err := functions.NewRaw("select current_setting(?)", name).Scan(t.Context(), &got); err != nil || got != want {
			t.Errorf("%s is %s, want %s, %v", name, got, want, err)
		}
	}
	var connections int
	var iam bool
	if err := admin.NewRaw("select rolconnlimit, pg_has_role(oid, 'rds_iam', 'MEMBER') from pg_roles where rolname = ?", role.Name).Scan(t.Context(), &connections, &iam); err != nil || connections != 5 || !iam {
		t.Errorf("limit %d, rds_iam %v, %v", connections, iam, err)
	}
	// A password of ASCII letters goes as a verifier, and works.
	role.Password = "plain"
	limit(t, admin, role)
	conn, err := pgx.Connect(t.Context(), as(t, server.URL(), role.Name, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(context.WithoutCancel(t.Context()))
}

func TestWhatTheAdministratorMayNotDoIsListed(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	super := opened(t, server.URL())
	execute(t, super, "create role owner login password 'owner'; grant create on database fanmail to owner; create role theirs login")
	owner := migrated(t, as(t, server.URL(), "owner", "owner"))
	for _, test := range []struct{ role, first string }{
		{"fanmail", `CREATE ROLE "fanmail" LOGIN PASSWORD '<the password that DATABASE_URL has>' CONNECTION LIMIT 4`},
		{"theirs", `ALTER ROLE "theirs" LOGIN CONNECTION LIMIT 4`},
	} {
		role := ledger.Role{Name: test.role, Password: "hunter2", ConnectionLimit: 4}
		byHand, reason, err := role.Limit(t.Context(), owner)
		if err != nil || len(byHand) == 0 || byHand[0] != test.first || !strings.Contains(reason, "may not change the role "+test.role) || strings.Contains(strings.Join(byHand, ""), "hunter2") {
			t.Fatalf("%q %q %v", byHand, reason, err)
		}
		// The owner of the tables may grant, so the whole was taken back.
		execute(t, super, strings.Join(byHand, "; "))
		execute(t, owner, "alter default privileges in schema fanmail grant select, insert, update, delete on tables to "+test.role+"; alter default privileges in schema fanmail grant usage, select on sequences to "+test.role)
		if byHand, _, err = role.Limit(t.Context(), owner); err != nil || len(byHand) > 0 {
			t.Errorf("after they were run: %q %v", byHand, err)
		}
	}
}

func TestAnAdministratorIsNeverLimited(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	admin := migrated(t, server.URL())
	byHand, reason, err := ledger.Role{Name: "postgres", Password: "hunter2", ConnectionLimit: 4}.Limit(t.Context(), admin)
	if err != nil || len(byHand) == 0 || !strings.HasPrefix(byHand[0], `CREATE ROLE "fanmail" LOGIN PASSWORD`) || !strings.Contains(reason, "give DATABASE_URL the role fanmail") {
		t.Fatalf("%q %q %v", byHand, reason, err)
	}
	var connections int
	if err := admin.NewRaw("select rolconnlimit from pg_roles where rolname = 'postgres'").Scan(t.Context(), &connections); err != nil || connections != -1 {
		t.Errorf("the administrator is limited to %d, %v", connections, err)
	}
	if _, _, err := (ledger.Role{Name: "fanmail"}).Limit(t.Context(), opened(t, postgrestest.New(t))); err == nil || !strings.Contains(err.Error(), "run the migrations first") {
		t.Errorf("without a schema: %v", err)
	}
}
