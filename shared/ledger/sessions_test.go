package ledger_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/uptrace/bun"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/ledger"
)

func TestSessionsCountsThoseOfTheRoleOnly(t *testing.T) {
	address, err := url.Parse(postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, address)
	role := bun.Ident("sessions_of" + address.Path[1:])
	if _, err := admin.ExecContext(t.Context(), "create role ? login password 'secret'", role); err != nil {
		t.Fatal(err)
	}
	limited := *address
	limited.User = url.UserPassword(string(role), "secret")
	first, second := connect(t, &limited), connect(t, &limited)
	for i, db := range []*bun.DB{first, second} {
		if n, err := ledger.Sessions(t.Context(), db); err != nil || n != i+1 {
			t.Errorf("%d sessions, %v; want %d", n, err, i+1)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ledger.Sessions(ended, first); err == nil {
		t.Error("no error of a count that was cancelled")
	}
}
