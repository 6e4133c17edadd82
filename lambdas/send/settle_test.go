package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"fanmail/local/ses"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

// always answers every call with the error.
func always(e *ses.Error) func(*ses.Request) ses.Fault {
	return func(*ses.Request) ses.Fault { return ses.Fault{Error: e} }
}

func TestASuspendedAccountHaltsTheCampaign(t *testing.T) {
	f := newFixture(t, 60, always(ses.ErrSuspended))
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{}) {
		t.Errorf("answer %+v, %v; want nothing sent and no more", out, err)
	}
	if c := f.campaign(t); c.State != ledger.Halted || !strings.Contains(c.Reason, "AccountSuspendedException") {
		t.Errorf("the campaign is %s because of %q, want halted by SES's answer", c.State, c.Reason)
	}
	if counts := f.counts(t); counts.Pending != 60 {
		t.Errorf("the ledger has %+v, want all pending: a later start mails them", counts)
	}
}

func TestAUsedUpQuotaEndsTheWaveForAllSenders(t *testing.T) {
	f := newFixture(t, 60, always(ses.ErrDailyQuota))
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{}) {
		t.Errorf("answer %+v, %v; want nothing sent and no more", out, err)
	}
	if c := f.campaign(t); c.State != ledger.Running || c.EndedWave != f.in.Wave {
		t.Errorf("the campaign is %s, wave %d ended; want it running with wave %d ended", c.State, c.EndedWave, f.in.Wave)
	}
	if counts := f.counts(t); counts.Pending != 60 {
		t.Errorf("the ledger has %+v, want all pending", counts)
	}
	f.in.Wave++
	if _, err := f.handler.handle(invocation(t), f.in); err != nil || f.campaign(t).EndedWave != f.in.Wave {
		t.Errorf("the next wave did not get as far as SES: %v", err)
	}
}

func TestThrottlesLowerTheRateOfAllSendersAndSuccessRestoresIt(t *testing.T) {
	const n = 400
	var throttled atomic.Int64
	f := newFixture(t, n, func(*ses.Request) ses.Fault {
		if throttled.Add(1) <= 100 && throttled.Load()%2 == 0 {
			return ses.Fault{Error: ses.ErrRate}
		}
		return ses.Fault{}
	})
	ctx := context.Background()
	check(t, ledger.StartWave(ctx, f.db, ledger.Wave{Length: time.Hour, Campaign: f.campaign(t), AccountRate: 5000}))
	f.exec(t, "create table rates as select clock_timestamp() as at, 0::float8 as rate where false")
	f.exec(t, `create function note() returns trigger language plpgsql as $$ begin insert into rates values (clock_timestamp(), new.rate); return new; end $$`)
	f.exec(t, "create trigger note after update on fanmail.pace for each row execute function note()")
	out, err := f.handler.handle(invocation(t), f.in)
	check(t, err)
	if out.Sent != n {
		t.Errorf("%d of %d sent", out.Sent, n)
	}
	var rate struct{ First, Least, Last float64 }
	check(t, f.db.NewRaw(`select (array_agg(rate order by at))[1] as first, min(rate) as least, (array_agg(rate order by at desc))[1] as last from rates`).Scan(ctx, &rate))
	if rate.First != 5000 || rate.Least > 4000 || rate.Last < rate.Least+500 || rate.Last > 5000 {
		t.Errorf("the rate went from %v down to %v and up to %v; want it well below 5000 in between", rate.First, rate.Least, rate.Last)
	}
}

func TestAtALowRateTooARefusalOfAllHaltsTheCampaignAndFailsNobody(t *testing.T) {
	f := newFixture(t, 60, always(ses.ErrContent))
	check(t, ledger.StartWave(context.Background(), f.db, ledger.Wave{Length: time.Hour, Campaign: f.campaign(t), AccountRate: 0.5}))
	f.exec(t, "create function free() returns trigger language plpgsql as $$ begin new.next_at = 'epoch'; return new; end $$")
	f.exec(t, "create trigger free before update on fanmail.pace for each row execute function free()")
	_, err := f.handler.handle(invocation(t), f.in)
	check(t, err)
	if c, counts := f.campaign(t), f.counts(t); c.State != ledger.Halted || counts.Pending != 60 {
		t.Errorf("the campaign is %s because of %q, the ledger has %+v; want it halted and all pending", c.State, c.Reason, counts)
	}
}

func TestUnsettledChunksEndTheBatchAfterGrowingPauses(t *testing.T) {
	var calls atomic.Int64
	f := newFixture(t, 1, func(*ses.Request) ses.Fault { calls.Add(1); return ses.Fault{Error: ses.ErrRate} })
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{}) || calls.Load() != maxUnsettled {
		t.Errorf("answer %+v, %v after %d calls; want nothing after %d calls", out, err, calls.Load(), maxUnsettled)
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
	if !slices.Equal(f.pauses, want) {
		t.Errorf("pauses %v, want %v", f.pauses, want)
	}
	if reasons := f.rows(t, "reason"); !strings.Contains(reasons[0], "Maximum sending rate exceeded") {
		t.Errorf("the pending recipient carries the reason %q: Plan tells the user by it why it is stuck", reasons[0])
	}
}

func TestAChunkThatSettlesForgivesTheOnesThatDidNot(t *testing.T) {
	// Every fourth attempt passes, so that there are never maxUnsettled chunks in a row.
	var calls atomic.Int64
	f := newFixture(t, 3, func(*ses.Request) ses.Fault {
		if calls.Add(1)%4 != 0 {
			return ses.Fault{Error: ses.ErrRate}
		}
		return ses.Fault{}
	})
	// One recipient per chunk: a claim covers two seconds of sending.
	check(t, ledger.StartWave(context.Background(), f.db, ledger.Wave{Length: time.Hour, Campaign: f.campaign(t), AccountRate: 0.5}))
	// Every time slot is free at once, so that the test does not wait.
	f.exec(t, "create function free() returns trigger language plpgsql as $$ begin new.next_at = 'epoch'; return new; end $$")
	f.exec(t, "create trigger free before update on fanmail.pace for each row execute function free()")
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{Sent: 3}) {
		t.Errorf("answer %+v, %v; want 3 sent", out, err)
	}
	if len(f.pauses) != 9 || f.pauses[3] != firstPause {
		t.Errorf("pauses %v, want 9 that start over after each message that passed", f.pauses)
	}
}

func TestOutcomesAreRecordedAfterTheInvocationWasCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(invocation(t))
	defer cancel()
	f := newFixture(t, 1, func(*ses.Request) ses.Fault { cancel(); return ses.Fault{} })
	out, err := f.handler.handle(ctx, f.in)
	if !errors.Is(err, context.Canceled) || out.Sent != 1 {
		t.Errorf("answer %+v, %v; want 1 sent, and the cancellation as the error of the next claim", out, err)
	}
	if counts := f.counts(t); counts.Sent != 1 {
		t.Errorf("the ledger has %+v, want what SES accepted as sent", counts)
	}
}

func TestARecipientWhoseAnswerWasLostStaysClaimedAndIsMailedOnce(t *testing.T) {
	f := newFixture(t, 3, func(r *ses.Request) ses.Fault {
		return ses.Fault{LoseAnswer: r.Destination.ToAddresses[0] == "r2@example.com"}
	})
	for range 2 {
		if _, err := f.handler.handle(invocation(t), f.in); err != nil {
			t.Fatal(err)
		}
	}
	if states := f.rows(t, "state"); !slices.Equal(states, []string{"sent", "claimed", "sent"}) {
		t.Errorf("states %v, want only the second claimed: nobody knows whether it was sent", states)
	}
	if n := f.mailbox.Accepted(); n != 3 {
		t.Errorf("SES accepted %d messages, want 3", n)
	}
}

func TestTheRecordIsTriedAgainWhenItsConnectionDies(t *testing.T) {
	f := newFixture(t, 1, nil)
	f.exec(t, "create sequence attempts")
	f.exec(t, `create function die_once() returns trigger language plpgsql as $$ begin
		if nextval('attempts') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if;
		return new; end $$`)
	f.exec(t, "create trigger die_once before update on fanmail.recipient for each row when (new.state = 'sent') execute function die_once()")
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{Sent: 1}) {
		t.Errorf("answer %+v, %v; want 1 sent", out, err)
	}
	if counts := f.counts(t); counts.Sent != 1 || f.mailbox.Accepted() != 1 {
		t.Errorf("the ledger has %+v, SES accepted %d; want one each", counts, f.mailbox.Accepted())
	}
	var attempts int
	check(t, f.db.NewRaw("select last_value from attempts").Scan(context.Background(), &attempts))
	if attempts != 2 {
		t.Errorf("%d attempts, want 2", attempts)
	}
}

func TestARecordThatFailsToTheEndSaysWhatIsWrong(t *testing.T) {
	f := newFixture(t, 1, nil)
	f.exec(t, "create sequence attempts")
	f.exec(t, `create function refuse() returns trigger language plpgsql as $$ begin
		perform nextval('attempts');
		raise exception 'no space left' using errcode = '53100'; end $$`)
	f.exec(t, "create trigger refuse before update on fanmail.recipient execute function refuse()")
	// The time is up during the second attempt; the test watches for it beside the connection of the record.
	f.db.SetMaxOpenConns(2)
	ctx, cancel := context.WithCancel(invocation(t))
	defer cancel()
	go func() {
		defer cancel()
		for attempts := 0; attempts < 2 && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			if err := f.db.NewRaw("select last_value from attempts").Scan(ctx, &attempts); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	err := record(ctx, f.db, f.in.Campaign, uuid.New(), []ledger.Outcome{{Seq: 1, State: ledger.Sent, MessageID: "m1"}})
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v, want PostgreSQL's reason", err)
	}
}

func TestASenderThatIsTooSlowForItsSlotsUsesThemLate(t *testing.T) {
	f := newFixture(t, 4, nil)
	b := &batch{handler: f.handler, db: f.db, in: f.in}
	missed, taken := mailer.Outcome{Kind: mailer.NotAccepted, Missed: true}, mailer.Outcome{Kind: mailer.NotAccepted}
	for i, step := range []struct {
		outcomes []mailer.Outcome
		late     bool
	}{
		{[]mailer.Outcome{taken, missed, missed, missed}, false},
		{[]mailer.Outcome{taken, missed, missed, taken}, false},
		{[]mailer.Outcome{taken, missed, taken, taken}, false},
		{[]mailer.Outcome{taken, missed}, false},
		{[]mailer.Outcome{taken, missed, missed}, false},
		{[]mailer.Outcome{taken, missed, missed}, true},
		{[]mailer.Outcome{taken, taken, taken, taken}, true},
	} {
		chunk := mailer.Chunk{Claim: uuid.New(), Late: b.late()}
		for range step.outcomes {
			chunk.Recipients = append(chunk.Recipients, mailer.Recipient{Seq: 1})
		}
		check(t, b.settle(invocation(t), chunk, step.outcomes, &chunkResult{}))
		if b.late() != step.late {
			t.Errorf("after chunk %d slots are used late: %v, want %v", i+1, b.late(), step.late)
		}
	}
}
