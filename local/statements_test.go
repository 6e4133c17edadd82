package local

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
)

func TestStatementsAreCountedInAPrivateServer(t *testing.T) {
	server, err := postgres.Start(t.Context(), postgres.Config{CountStatements: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	r := &Runtime{databaseURL: server.URL(), role: role{name: "postgres"}}
	if _, err := r.Statements(t.Context()); errors.Is(err, ErrStatementsNotCounted) {
		t.Skip("this PostgreSQL is packaged without pg_stat_statements")
	} else if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for i := range 7 {
		if _, err := conn.Exec(t.Context(), "SELECT $1::int + 40", i); err != nil {
			t.Fatal(err)
		}
	}
	statements, err := r.Statements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	calls := int64(0)
	for _, s := range statements {
		if strings.Contains(s.Query, "::int + ") {
			calls += s.Calls
		}
		if strings.Contains(s.Query, "pg_stat_") {
			t.Errorf("the runtime counts itself: %s", s.Query)
		}
	}
	if calls != 7 {
		t.Errorf("%d calls, want 7, in %+v", calls, statements)
	}
}

func TestNothingIsCreatedInADatabaseThatIsNotOurs(t *testing.T) {
	url := postgrestest.New(t)
	r := &Runtime{databaseURL: url, options: Options{DatabaseURL: url}}
	if _, err := r.Statements(t.Context()); !errors.Is(err, ErrStatementsNotCounted) {
		t.Errorf("got %v", err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var extensions int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'").Scan(&extensions); err != nil || extensions != 0 {
		t.Errorf("%d extensions, error %v", extensions, err)
	}
}
