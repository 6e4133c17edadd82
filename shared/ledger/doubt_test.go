package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

const grace = 10 * time.Minute

// doubtful is a campaign whose first recipient is in doubt since the given time, and whose second was sent then.
func doubtful(t *testing.T, db *bun.DB, since time.Duration) *ledger.Campaign {
	t.Helper()
	c := start(t, db, "a@example.com", "b@example.com", "c@example.com")
	exec(t, db, `
		update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now() - make_interval(secs => ?) where seq = 1`, since.Seconds())
	exec(t, db, `
		update fanmail.recipient set state = 'sent', claim = gen_random_uuid(), message_id = 'm2', settled_at = now() - make_interval(secs => ?) where seq = 2`, since.Seconds())
	return c
}

func exec(t *testing.T, db *bun.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func state(t *testing.T, db *bun.DB, seq int) (state string) {
	t.Helper()
	if err := db.NewRaw("select state from fanmail.recipient where seq = ?", seq).Scan(context.Background(), &state); err != nil {
		t.Fatal(err)
	}
	return state
}

func TestWhatIsInDoubtIsSettledByTheRule(t *testing.T) {
	const (
		aged      = "update fanmail.campaign set witness = now() - interval '3 minutes', witness_at = now() - interval '3 minutes'"
		near      = "insert into fanmail.probe select id, now() - interval '5 minutes' from fanmail.campaign"
		witness   = aged + "; " + near
		confirm   = "update fanmail.recipient set confirmed_at = settled_at where seq = 2"
		long      = 11 * time.Minute
		unsettled = "claimed"
		settled   = "pending"
	)
	for _, test := range []struct {
		name   string
		rule   campaign.DoubtRule
		since  time.Duration
		before []string
		want   string
	}{
		{"held", campaign.Hold, long, []string{witness, confirm}, unsettled},
		{"proved", campaign.Prove, long, []string{witness, confirm}, settled},
		{"a campaign of before the rule proves", "", long, []string{witness, confirm}, settled},
		{"within the grace period", campaign.Prove, 9 * time.Minute, []string{witness, confirm}, unsettled},
		{"without any event", campaign.Prove, long, nil, unsettled},
		{"without an event of a later message", campaign.Prove, long, []string{confirm, "update fanmail.campaign set witness = now() - interval '12 minutes', witness_at = now() - interval '3 minutes'"}, unsettled},
		{"an event of a later message has arrived just now", campaign.Prove, long, []string{confirm,
			near, "update fanmail.campaign set witness = now() - interval '3 minutes', witness_at = now() - interval '1 minute'"}, unsettled},
		{"an event is missing at that time", campaign.Prove, long, []string{witness}, unsettled},
		{"an event is missing shortly before", campaign.Prove, long, []string{witness, "update fanmail.recipient set settled_at = settled_at - interval '9 minutes' where seq = 2"}, unsettled},
		{"an event is missing long before", campaign.Prove, long, []string{witness, "update fanmail.recipient set settled_at = settled_at - interval '15 minutes' where seq = 2"}, settled},
		{"an event is missing long after", campaign.Prove, time.Hour, []string{aged, "insert into fanmail.probe select id, now() - interval '55 minutes' from fanmail.campaign",
			"update fanmail.recipient set settled_at = settled_at + interval '15 minutes' where seq = 2"}, settled},
		{"events are missing long before and long after", campaign.Prove, time.Hour, []string{aged, "insert into fanmail.probe select id, now() - interval '55 minutes' from fanmail.campaign",
			"update fanmail.recipient set settled_at = settled_at + interval '15 minutes' where seq = 2",
			"update fanmail.recipient set state = 'sent', claim = gen_random_uuid(), settled_at = now() - interval '80 minutes' where seq = 3"}, settled},
		{"a recipient's event is as good as a probe's", campaign.Prove, long, []string{aged, confirm,
			"update fanmail.recipient set state = 'sent', claim = gen_random_uuid(), settled_at = now() - interval '6 minutes', confirmed_at = now() - interval '6 minutes' where seq = 3"}, settled},
		{"a probe at once", campaign.Prove, long, []string{aged, confirm,
			"insert into fanmail.probe select campaign_id, claimed_until + interval '1 second' from fanmail.recipient where seq = 1"}, settled},
		{"a probe too early", campaign.Prove, long, []string{aged,
			"update fanmail.recipient set settled_at = settled_at - interval '2 seconds', confirmed_at = settled_at - interval '2 seconds' where seq = 2",
			"insert into fanmail.probe select campaign_id, claimed_until - interval '1 second' from fanmail.recipient where seq = 1"}, unsettled},
		// Whoever mends the way of the events later proves nothing about the time before.
		{"no event of that time has arrived", campaign.Prove, 24 * time.Hour, []string{witness, "update fanmail.recipient set state = 'pending', claim = null where seq = 2"}, unsettled},
		{"an event may still come", campaign.Prove, long, []string{witness, "update fanmail.recipient set settled_at = now() - interval '9 minutes' where seq = 2"}, settled},
		{"sent again", campaign.Resend, long, nil, settled},
		{"sent again, but within the grace period", campaign.Resend, 9 * time.Minute, nil, unsettled},
		{"a campaign that is paused", campaign.Resend, long, []string{"update fanmail.campaign set state = 'paused'"}, unsettled},
		{"a campaign that was taken over", campaign.Resend, long, []string{"update fanmail.campaign set execution = 'other'"}, unsettled},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := open(t)
			c := doubtful(t, db, test.since)
			for _, statement := range test.before {
				exec(t, db, statement)
			}
			n, err := ledger.SettleDoubt(context.Background(), db, c, test.rule, grace)
			if err != nil {
				t.Fatal(err)
			}
			if got := state(t, db, 1); got != test.want || (n == 1) != (test.want == settled) {
				t.Errorf("the recipient is %s, %d were settled; want it %s", got, n, test.want)
			}
			var claimed int
			if err := db.NewRaw("select count(*) from fanmail.recipient where state = 'claimed'").Scan(context.Background(), &claimed); err != nil || claimed > 1 {
				t.Errorf("%d are claimed, %v: the others were touched", claimed, err)
			}
		})
	}
}

func TestAnEventProvesSomethingWhenItHasArrivedForAWhile(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := doubtful(t, db, 11*time.Minute)
	exec(t, db, "update fanmail.recipient set confirmed_at = settled_at where seq = 2")
	exec(t, db, "insert into fanmail.probe select id, now() - interval '5 minutes' from fanmail.campaign")
	exec(t, db, "update fanmail.campaign set witnessed_at = now()")
	for _, step := range []struct {
		later string
		want  int64
	}{{"0", 0}, {"119 seconds", 0}, {"2 seconds", 1}} {
		exec(t, db, "update fanmail.campaign set witness_at = witness_at - ?::interval", step.later)
		if n, err := ledger.SettleDoubt(ctx, db, c, campaign.Prove, grace); err != nil || n != step.want {
			t.Errorf("%s later %d were settled, %v; want %d", step.later, n, err, step.want)
		}
	}
}

func TestResolveSettlesWhatIsInDoubtAndNothingElse(t *testing.T) {
	for _, test := range []struct {
		resend bool
		want   string
	}{{true, "pending"}, {false, "skipped"}} {
		db, ctx := open(t), context.Background()
		c := doubtful(t, db, time.Minute)
		exec(t, db, "update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now() + interval '1 minute' where seq = 3")
		held, err := ledger.Held(ctx, db, c.ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(held) != 1 || held[0].Seq != 1 || held[0].Line != 2 || held[0].Address != "a@example.com" || time.Since(held[0].Since) < time.Minute {
			t.Errorf("held are %+v, want the one in doubt", held)
		}
		for _, want := range []int64{1, 0} {
			if n, err := ledger.Resolve(ctx, db, "spring-sale", test.resend); err != nil || n != want {
				t.Fatalf("resolved %d, %v; want %d", n, err, want)
			}
		}
		if state(t, db, 1) != test.want || state(t, db, 2) != "sent" || state(t, db, 3) != "claimed" {
			t.Errorf("states are %s, %s, %s; want %s, sent, and claimed as before", state(t, db, 1), state(t, db, 2), state(t, db, 3), test.want)
		}
	}
}

func TestACampaignThatIsUnknownCanBeNeitherResolvedNorSlowed(t *testing.T) {
	db, ctx := open(t), context.Background()
	var unknown *workflow.CampaignUnknown
	if _, err := ledger.Resolve(ctx, db, "autumn", true); !errors.As(err, &unknown) {
		t.Errorf("resolve: %v, want CampaignUnknown", err)
	}
	if err := ledger.SetRate(ctx, db, "autumn", 10); !errors.As(err, &unknown) {
		t.Errorf("rate: %v, want CampaignUnknown", err)
	}
}
