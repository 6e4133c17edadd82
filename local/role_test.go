package local

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/deployment"
)

func TestTheFunctionsAreNeverTheSuperuserWhereThatCanBeHelped(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	admin, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	if _, err := admin.Exec(t.Context(), "create role creator login createrole password 'p'; create role plain login password 'p'; create schema fanmail authorization creator"); err != nil {
		t.Fatal(err)
	}
	as := func(user string) string {
		u, err := url.Parse(server.URL())
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(user, "p")
		return u.String()
	}
	for _, test := range []struct {
		user, url string
		ours      bool
	}{{"postgres", server.URL(), true}, {"creator", as("creator"), true}, {"plain", as("plain"), false}} {
		r := &Runtime{databaseURL: test.url, options: Options{DatabaseURL: test.url}.withDefaults()}
		if err := r.chooseRole(t.Context()); err != nil {
			t.Fatal(err)
		}
		environment := r.functionEnvironment(deployment.Function{Key: migrateKey})
		if r.role.ours != test.ours || (environment["DATABASE_ADMIN_URL"] == test.url) != test.ours {
			t.Errorf("%s: %+v, administrator %q", test.user, r.role, environment["DATABASE_ADMIN_URL"])
		}
		for _, key := range []string{"send", "control"} {
			if environment := r.functionEnvironment(deployment.Function{Key: key}); environment["DATABASE_ADMIN_URL"] != "" || (environment["DATABASE_URL"] == test.url) == test.ours {
				t.Errorf("%s: %s gets %v", test.user, key, environment)
			}
		}
		if !test.ours {
			if r.Role() != test.user {
				t.Errorf("the role is %s", r.Role())
			}
			continue
		}
		// What migrate does, in short: Close takes it back.
		name := r.Role()
		conn, err := pgx.Connect(t.Context(), test.url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "create role "+name+" login; grant usage on schema fanmail to "+name); err != nil {
			t.Fatal(err)
		}
		conn.Close(t.Context())
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		var left int
		if err := admin.QueryRow(t.Context(), "select count(*) from pg_roles where rolname = $1", name).Scan(&left); err != nil || left != 0 {
			t.Errorf("%s: the role %s is still there: %v", test.user, name, err)
		}
	}
}

func TestAConnectionStringIsRewrittenForAnotherUser(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://a:b@h:1/d?sslmode=disable":   "postgres://fanmail:secret@h:1/d?sslmode=disable",
		"postgresql://h/d?user=a&password=b":     "postgresql://fanmail:secret@h/d",
		"host=/tmp dbname=d user=a password=b":   "host=/tmp dbname=d user=a password=b user=fanmail password=secret",
		"postgres://a:b@[::1]:1/d?sslmode=allow": "postgres://fanmail:secret@[::1]:1/d?sslmode=allow",
	} {
		got := withUser(dsn, "fanmail", "secret")
		if got != want {
			t.Errorf("%s: %s, want %s", dsn, got, want)
		}
		config, err := pgx.ParseConfig(got)
		if err != nil || config.User != "fanmail" || config.Password != "secret" || strings.TrimPrefix(config.Database, "/") != "d" {
			t.Errorf("%s: %v", got, err)
		}
	}
}
