package endtoend

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local"
)

func TestNobodyIsMailedTwiceNorLeftOutWhenAllSendersAreKilled(t *testing.T) {
	t.Parallel()
	// The function events is killed too, at work: what it had received comes back after the visibility timeout.
	d := deploy(t, local.Options{SESLatency: 100 * time.Millisecond, VisibilityTimeout: 2 * time.Second})
	const n = 2000
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("a quarter of the messages", func() bool { return d.SES().Accepted() > n/4 })
	if d.killSenders() == 0 {
		t.Fatal("nobody was claimed when the senders were killed: this test is to kill them at work")
	}
	d.outlast(execution)
	d.auditSent("spring", d.succeed(execution), n)
}

// outlast lets an execution wait for what is in doubt as long as it likes, by the clock of the deployment: that moves once
// the event of every message has arrived, however long this machine takes for them.
func (d *stack) outlast(execution string) {
	d.t.Helper()
	for d.waitsOrEnds(execution) {
		d.await("the senders to end", func() bool { return d.busySenders() == 0 })
		d.await("the event of every message", func() bool {
			return d.number("select count(confirmed_at) from fanmail.recipient") == int64(len(d.mailbox()))
		})
		until, reason := d.waitsFor(execution)
		d.t.Logf("it waits %s: %s", until.Sub(d.Now()).Round(time.Second), reason)
		d.advance(execution, until)
	}
}

// killSenders kills all senders while none can claim or record, lets their claims run out as if the lease were over, and
// returns how many recipients they held.
func (d *stack) killSenders() (claimed int64) {
	d.t.Helper()
	ctx := d.t.Context()
	err := pgx.BeginFunc(ctx, d.ledger, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "lock table fanmail.recipient in share row exclusive mode"); err != nil {
			return err
		}
		// Answers of SES come in that can't be recorded.
		accepted := d.SES().Accepted()
		d.await("messages that are not recorded", func() bool { return d.SES().Accepted() > accepted })
		var sessions []int32
		if err := tx.QueryRow(ctx, "select coalesce(array_agg(pid), '{}') from pg_stat_activity where datname = current_database() and application_name = 'fanmail-send'").Scan(&sessions); err != nil {
			return err
		}
		d.Lambda().KillAll()
		// A server finishes a statement whose client is gone, unless it is told.
		if _, err := tx.Exec(ctx, "select pg_terminate_backend(pid, 5000) from unnest($1::int[]) pid", sessions); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "update fanmail.recipient set claimed_until = now() where state = 'claimed'")
		claimed = tag.RowsAffected()
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return claimed
}
