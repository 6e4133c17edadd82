package ledger

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"fanmail/shared/budget"
)

// Server reads how many connections the server has, who holds them, and how many the functions' role may hold; role ""
// means the one that we are connected as.
func Server(ctx context.Context, db bun.IDB, role string) (budget.Server, error) {
	var s budget.Server
	err := db.NewRaw(`
		select current_setting('max_connections')::int as max_connections,
		       current_setting('superuser_reserved_connections')::int
		           + coalesce(nullif(current_setting('reserved_connections', true), '')::int, 0)
		           + coalesce(nullif(current_setting('rds.rds_reserved_connections', true), '')::int, 0) as reserved,
		       (select count(*) from pg_stat_activity where datid is not null and usename <> coalesce(nullif(?0, ''), current_user) and pid <> pg_backend_pid()) as others,
		       (select case when rolsuper then -1 else rolconnlimit end from pg_roles where rolname = coalesce(nullif(?0, ''), current_user)) as role_limit`, role).Scan(ctx, &s)
	if err != nil {
		return s, fmt.Errorf("reading the connection limits of the server: %w", err)
	}
	return s, nil
}
