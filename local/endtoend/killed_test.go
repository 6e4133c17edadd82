package endtoend

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local"
)

func TestNobodyIsMailedTwiceWhenAllSendersAreKilled(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 100 * time.Millisecond})
	const n = 2000
	d.upload("spring", list(n))
	execution := d.start("spring")
	d.await("a quarter of the messages", func() bool { return d.SES().Accepted() > n/4 })
	doubted := d.killSenders()
	if doubted == 0 {
		t.Fatal("nobody was claimed when the senders were killed: this test is to kill them at work")
	}
	r := d.succeed(execution)
	if r.State != "finished" || r.Recipients != n || r.InDoubt != doubted || r.Sent != n-doubted || r.Pending != 0 {
		t.Errorf("%d were claimed when the senders were killed; the report is %+v", doubted, r)
	}
	var inDoubt, mailed int64
	accepted := map[string]bool{}
	for _, entry := range d.mailbox() {
		accepted[entry.To[0]] = true
	}
	for _, row := range d.audit("spring") {
		if row.State == "claimed" {
			inDoubt++
			if accepted[row.Address] {
				mailed++
			}
		}
	}
	if inDoubt != doubted {
		t.Errorf("%d are in doubt, %d were claimed when the senders were killed", inDoubt, doubted)
	}
	if mailed == 0 {
		t.Error("nobody who is in doubt has been mailed: this test is to kill senders with answers under way")
	}
	var shown int64
	_, outcomes := d.csv(r.Outcomes.Key)
	for _, line := range outcomes {
		if line[3] == "in doubt" {
			shown++
		}
	}
	if shown != doubted {
		t.Errorf("outcomes.csv shows %d in doubt, want %d", shown, doubted)
	}

	// Starting again mails nobody who is in doubt.
	again := d.succeed(d.start("spring"))
	if again.InDoubt != doubted || again.Sent != n-doubted {
		t.Errorf("started again: %+v", again)
	}
	d.audit("spring")
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
