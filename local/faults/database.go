package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// queryTimeout bounds each question to the database, connecting included.
	queryTimeout = 3 * time.Second
	// recordWait is how long a record is waited for: a chunk is a few seconds of sending.
	recordWait = 30 * time.Second
	// lookEvery is the time between two looks at who waits.
	lookEvery = 10 * time.Millisecond
)

const sessionsSQL = `
SELECT pid FROM pg_stat_activity
WHERE usename = $1 AND datname = current_database() AND application_name LIKE 'fanmail-%' AND application_name NOT LIKE 'fanmail-watch%'
ORDER BY pid`

// terminator ends sessions of the functions through a session of its own.
type terminator struct {
	round *round
	conn  *pgx.Conn
	// failed: the last attempt did, and was logged.
	failed bool
}

func (t *terminator) terminateAny(random *rand.Rand) {
	err := t.try(random)
	if err != nil {
		t.disconnect()
	}
	if err != nil && !t.failed && t.round.ctx.Err() == nil {
		t.round.service.log.Warn("the faults: terminating a database session failed; it is tried again", "error", err)
	}
	t.failed = err != nil
}

func (t *terminator) try(random *rand.Rand) (err error) {
	s := t.round.service
	ctx, cancel := context.WithTimeout(t.round.ctx, queryTimeout)
	defer cancel()
	if t.conn == nil {
		if t.conn, err = s.config.Connect(ctx); err != nil {
			return err
		}
	}
	rows, err := t.conn.Query(ctx, sessionsSQL, s.config.Role)
	if err != nil {
		return err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil || len(pids) == 0 {
		return err
	}
	var done bool
	if err := t.conn.QueryRow(ctx, "SELECT pg_terminate_backend($1)", pids[random.IntN(len(pids))]).Scan(&done); err != nil {
		return err
	}
	if done {
		s.counts.terminations.Add(1)
	}
	return nil
}

func (t *terminator) disconnect() {
	if t.conn != nil {
		disconnect(t.conn)
		t.conn = nil
	}
}

func disconnect(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	_ = conn.Close(ctx) // the server ends the session either way
}

// rowLock is a session that holds the row of a recipient.
type rowLock struct {
	conn   *pgx.Conn
	sender string // the application_name of who is waited for
}

// lockRecipient takes the row of a message's recipient; nil if that fails.
func (r *round) lockRecipient(m message) *rowLock {
	ctx, cancel := context.WithTimeout(r.ctx, queryTimeout)
	defer cancel()
	conn, err := r.service.config.Connect(ctx)
	if err == nil {
		var one int
		if _, err = conn.Exec(ctx, "BEGIN"); err == nil {
			err = conn.QueryRow(ctx, `
				SELECT 1 FROM fanmail.recipient r JOIN fanmail.campaign c ON c.id = r.campaign_id
				WHERE c.name = $1 AND r.seq = $2 FOR UPDATE OF r`, m.campaign, m.seq).Scan(&one)
		}
		if err != nil {
			disconnect(conn)
		}
	}
	if err != nil {
		if r.ctx.Err() == nil {
			r.service.log.Warn("the faults: a sender is not killed at its record", "error", fmt.Errorf("locking recipient %d of %s: %w", m.seq, m.campaign, err))
		}
		return nil
	}
	return &rowLock{conn, r.service.config.SenderSession}
}

// waitersSQL knows whether a sender waits for this session, or for one that does: SES's event may be waiting, too, with other
// rows of the same record in its hands.
const waitersSQL = `
WITH RECURSIVE waiter(pid, application_name) AS (
  SELECT pid, application_name FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))
  UNION
  SELECT a.pid, a.application_name FROM pg_stat_activity a JOIN waiter w ON w.pid = ANY (pg_blocking_pids(a.pid))
)
SELECT EXISTS (SELECT FROM waiter WHERE application_name = $1)`

// blocks waits until a sender waits for the row. It tells whether one does.
func (l *rowLock) blocks(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recordWait)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		var yes bool
		// Within a transaction, the server shows the sessions as they were at the first look.
		_, err := l.conn.Exec(ctx, "SELECT pg_stat_clear_snapshot()")
		if err == nil {
			err = l.conn.QueryRow(ctx, waitersSQL, l.sender).Scan(&yes)
		}
		if err != nil || yes {
			return err == nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		}
	}
}

// release lets the row go: the server then goes on with the statement that waited.
func (l *rowLock) release() { disconnect(l.conn) }
