package ledger_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/budget"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
)

// connect opens a handle on the database until the end of the test.
func connect(t *testing.T, address *url.URL) *bun.DB {
	t.Helper()
	handle := database.New(address.String(), "server-test")
	t.Cleanup(func() { _ = handle.Close() })
	db, err := handle.DB()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestServerCountsTheSessionsOfOthersAndTheLimitOfTheRole(t *testing.T) {
	address, err := url.Parse(postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, address)
	role := bun.Ident("role_of" + address.Path[1:])
	if _, err := admin.ExecContext(t.Context(), "create role ? login password 'secret' connection limit 7", role); err != nil {
		t.Fatal(err)
	}
	limited := *address
	limited.User = url.UserPassword(string(role), "secret")
	seen := func(db *bun.DB) budget.Server {
		server, err := ledger.Server(context.Background(), db, "")
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	t.Run("as the limited role", func(t *testing.T) {
		if s := seen(connect(t, &limited)); s.MaxConnections < 20 || s.Reserved < 3 || s.RoleLimit != 7 || s.Others < 1 {
			t.Errorf("server %+v", s)
		}
	})
	if s := seen(admin); s.RoleLimit != -1 {
		t.Errorf("a superuser's limit is %d, want none", s.RoleLimit)
	}
	if _, err := admin.ExecContext(t.Context(), "drop role ?", role); err != nil {
		t.Fatal(err)
	}
}
