package local

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"fanmail/local/clock"
)

// openClock takes up the clock of an earlier runtime in the same directory.
func (r *Runtime) openClock() (err error) {
	r.clock, err = clock.Open(filepath.Join(r.directory, "clock.json"))
	return err
}

// Now is the time on the runtime's clock.
func (r *Runtime) Now() time.Time { return r.clock.Now() }

// Advance moves the clock of the ledger, of SES and of Step Functions forward: quotas renew, Wait states end. Delays of retries,
// time-outs and queues stay in real time. When it returns, all has moved.
func (r *Runtime) Advance(ctx context.Context, d time.Duration) error {
	return r.clock.Advance(d, func(offset time.Duration) error { return r.moveLedgerClock(ctx, offset) })
}

const (
	ledgerClock = "SELECT coalesce((SELECT prosrc FROM pg_proc WHERE oid = to_regprocedure('fanmail.clock()')), '')"
	realTime    = "select clock_timestamp()"
)

// moveLedgerClock replaces the function that the ledger takes the time from. It changes nothing when that tells the right time.
func (r *Runtime) moveLedgerClock(ctx context.Context, offset time.Duration) error {
	wanted := realTime
	if offset > 0 {
		wanted += fmt.Sprintf(" + interval '%d.%06d seconds'", offset/time.Second, offset%time.Second/time.Microsecond)
	}
	conn, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var current string
	if err := conn.QueryRow(ctx, ledgerClock).Scan(&current); err != nil {
		return fmt.Errorf("reading the ledger's clock: %w", err)
	}
	switch {
	case current == wanted, current == "" && offset == 0:
		return nil
	case current == "":
		return fmt.Errorf("moving the ledger's clock: the database has no function fanmail.clock()")
	}
	_, err = conn.Exec(ctx, "CREATE OR REPLACE FUNCTION fanmail.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $clock$"+wanted+"$clock$")
	if err != nil {
		return fmt.Errorf("moving the ledger's clock: %w", err)
	}
	return nil
}

// leaveLedgerClock gives a database that is not ours its real time back.
func (r *Runtime) leaveLedgerClock() error {
	if r.options.DatabaseURL == "" || r.clock.Offset() == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.moveLedgerClock(ctx, 0); err != nil {
		r.options.Logger.Warn("the clock of the ledger in DATABASE_URL stays ahead of real time", "error", err)
	}
	return nil
}
