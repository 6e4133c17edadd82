package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"fanmail/local/ses"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestABatchIsSentToItsEnd(t *testing.T) {
	f := newFixture(t, 120, nil)
	f.in.Batch.First, f.in.Batch.Last = 11, 120
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{Sent: 110}) {
		t.Errorf("answer %+v, %v; want 110 sent and no more", out, err)
	}
	if counts := f.counts(t); counts.Sent != 110 || counts.Pending != 10 || f.mailbox.Accepted() != 110 {
		t.Errorf("the ledger has %+v, SES accepted %d; want 110 sent, and the 10 before the batch pending", counts, f.mailbox.Accepted())
	}
	if ids := f.rows(t, "message_id"); slices.Index(ids, "") != 0 || slices.Contains(ids[10:], "") {
		t.Errorf("message ids %q: want one for each that was sent", ids)
	}
}

func TestAMessageThatSESRefusesFailsAlone(t *testing.T) {
	f := newFixture(t, 3, func(r *ses.Request) ses.Fault {
		if r.Destination.ToAddresses[0] == "r2@example.com" {
			return ses.Fault{Error: &ses.Error{Status: 400, Code: "MessageRejected", Message: "Bad content."}}
		}
		return ses.Fault{}
	})
	f.exec(t, "update fanmail.recipient set fields = '{}' where seq = 3")
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{Sent: 1, Failed: 2}) {
		t.Errorf("answer %+v, %v; want 1 sent, 2 failed", out, err)
	}
	want := []string{"", "MessageRejected: Bad content.", "rendering:"}
	for i, reason := range f.rows(t, "reason") {
		if len(reason) < len(want[i]) || reason[:len(want[i])] != want[i] {
			t.Errorf("recipient %d has the reason %q, want %q", i+1, reason, want[i])
		}
	}
}

// reserve is what must be left of an invocation when a call starts.
func reserve(f *fixture) time.Duration { return f.handler.timeout + recordTimeout + answerTime }

func TestWithTooLittleTimeLeftNothingIsClaimed(t *testing.T) {
	f := newFixture(t, 1, nil)
	ctx, cancel := context.WithTimeout(context.Background(), reserve(f)-time.Second)
	defer cancel()
	out, err := f.handler.handle(ctx, f.in)
	if err != nil || out != (workflow.SendOutput{More: true}) {
		t.Errorf("answer %+v, %v; want more: true and nothing else", out, err)
	}
	if counts := f.counts(t); counts.Pending != 1 {
		t.Errorf("the ledger has %+v, want all pending", counts)
	}
}

func TestWhenTimeRunsOutTheRestGoesBackToPendingAndMoreIsTrue(t *testing.T) {
	const n = 20
	var lastStart time.Time
	f := newFixture(t, n, func(*ses.Request) ses.Fault { return ses.Fault{AnswerDelay: time.Until(lastStart)} })
	lastStart = time.Now().Add(500 * time.Millisecond)
	ctx, cancel := context.WithDeadline(context.Background(), lastStart.Add(reserve(f)))
	defer cancel()
	out, err := f.handler.handle(ctx, f.in)
	if err != nil || !out.More {
		t.Errorf("answer %+v, %v; want more: true", out, err)
	}
	counts := f.counts(t)
	if counts.Sent == n || counts.Sent != out.Sent || counts.Sent != f.mailbox.Accepted() || counts.Pending != n-counts.Sent {
		t.Errorf("the ledger has %+v, the answer is %+v, SES accepted %d; want the rest pending", counts, out, f.mailbox.Accepted())
	}
}

func TestAfterTheEndOfTheWaveNothingIsClaimed(t *testing.T) {
	f := newFixture(t, 1, nil)
	f.exec(t, "update fanmail.campaign set wave_until = now()")
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{}) {
		t.Errorf("answer %+v, %v; want nothing sent and no more: the next wave has the rest", out, err)
	}
	if counts := f.counts(t); counts.Pending != 1 {
		t.Errorf("the ledger has %+v, want all pending", counts)
	}
}

func TestWithoutADeadlineTheSenderRefusesToWork(t *testing.T) {
	f := newFixture(t, 1, nil)
	if _, err := f.handler.handle(context.Background(), f.in); err == nil || f.mailbox.Accepted() != 0 {
		t.Errorf("error %v, SES accepted %d; want an error and nothing sent", err, f.mailbox.Accepted())
	}
}

func TestAnExecutionThatLostTheCampaignSendsNothing(t *testing.T) {
	f := newFixture(t, 1, nil)
	f.exec(t, "update fanmail.campaign set execution = 'another'")
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{}) || f.mailbox.Accepted() != 0 {
		t.Errorf("answer %+v, %v; SES accepted %d; want nothing", out, err, f.mailbox.Accepted())
	}
}

func TestContentIsReadOncePerEnvironmentAndExecution(t *testing.T) {
	f := newFixture(t, 3, nil)
	send := func(seq int64) {
		t.Helper()
		f.in.Batch.First, f.in.Batch.Last = seq, seq
		if out, err := f.handler.handle(invocation(t), f.in); err != nil || out.Sent != 1 {
			t.Fatalf("answer %+v, %v", out, err)
		}
	}
	send(1)
	send(2)
	if n := f.reads.Load(); n != 1 {
		t.Errorf("content was read %d times for one execution, want once", n)
	}
	// Another execution has another snapshot: the one at hand must not be used for it.
	f.in.Content.Key = "work/spring-sale/spring-sale-2/content.json"
	f.in.Batch.First, f.in.Batch.Last = 3, 3
	if _, err := f.handler.handle(invocation(t), f.in); err == nil {
		t.Error("a snapshot that does not exist is no error")
	}
	if counts := f.counts(t); counts.Pending != 1 {
		t.Errorf("the ledger has %+v; want the last one pending: nothing may be claimed before the content is there", counts)
	}
	f.in.Content.Key = event(t).Content.Key
	send(3)
}

func TestTheEventOfThisFolderRuns(t *testing.T) {
	f := newFixture(t, 50, nil)
	if out, err := f.handler.handle(invocation(t), event(t)); err != nil || out.Sent != 50 {
		t.Errorf("answer %+v, %v; want 50 sent", out, err)
	}
	if c := f.campaign(t); c.State != ledger.Running {
		t.Errorf("the campaign is %s: only Finish ends it", c.State)
	}
}
