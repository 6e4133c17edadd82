package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// sessionsTimeout bounds a count of sessions: it is for a metric, and nobody may wait for it.
const sessionsTimeout = time.Second

// Sessions counts the sessions that the role has on the server, ours included. Behind an RDS Proxy these are the
// proxy's.
func Sessions(ctx context.Context, db bun.IDB) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, sessionsTimeout)
	defer cancel()
	err = db.NewRaw(`
		select count(*) from pg_stat_activity
		where usename = current_user and backend_type = 'client backend'`).Scan(ctx, &n)
	if err != nil {
		return 0, fmt.Errorf("counting the sessions of the functions' role: %w", err)
	}
	return n, nil
}
