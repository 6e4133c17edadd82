package ledger_test

import (
	"context"
	"errors"
	"testing"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

const because = "its execution is ABORTED"

func TestInterrupt(t *testing.T) {
	const next = "arn:aws:states:us-east-1:000000000000:execution:fanmail-test-campaign:spring-sale-2"
	for _, test := range []struct {
		name, before string
		changed      bool
		want         ledger.CampaignState
		reason       string
	}{
		{"a running campaign", "select", true, ledger.Interrupted, because},
		{"one whose import was under way", "update fanmail.campaign set state = 'importing'", true, ledger.Importing, because},
		{"one whose import has failed", "update fanmail.campaign set state = 'importing', reason = 'no list', ended_at = now()", false, ledger.Importing, "no list"},
		{"one that was interrupted before", "update fanmail.campaign set state = 'interrupted', reason = 'before', ended_at = now()", false, ledger.Interrupted, "before"},
		{"a failed one", "update fanmail.campaign set state = 'failed', reason = 'stuck', ended_at = now()", false, ledger.Failed, "stuck"},
		{"a finished one", "update fanmail.campaign set state = 'finished', reason = 'sent', ended_at = now()", false, ledger.Finished, "sent"},
		{"a halted one that is not closed yet", "update fanmail.campaign set state = 'halted', reason = 'SES'", false, ledger.Halted, "SES"},
		{"one that another execution has taken over", "update fanmail.campaign set execution = '" + next + "'", false, ledger.Running, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			c := start(t, db, "a@example.com")
			if _, err := db.ExecContext(ctx, test.before); err != nil {
				t.Fatal(err)
			}
			changed, err := ledger.Interrupt(ctx, db, c, because)
			if err != nil || changed != test.changed {
				t.Fatalf("changed %v, %v; want %v", changed, err, test.changed)
			}
			now, err := ledger.Find(ctx, db, "spring-sale")
			if err != nil {
				t.Fatal(err)
			}
			if now.State != test.want || now.Reason != test.reason || changed && (c.State != test.want || c.EndedAt.IsZero()) {
				t.Errorf("the campaign is %s because of %q (ended %v), want %s because of %q", now.State, now.Reason, now.EndedAt, test.want, test.reason)
			}
		})
	}
}

func TestNobodyClaimsFromAnInterruptedCampaign(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com", "b@example.com")
	claiming := ledger.Claiming{Campaign: "spring-sale", Execution: execution, Wave: 1, First: 1, Last: 2, Limit: 1}
	if chunk, err := ledger.Claim(ctx, db, claiming); err != nil || len(chunk.Recipients) != 1 {
		t.Fatalf("%+v %v", chunk, err)
	}
	if _, err := ledger.Interrupt(ctx, db, c, because); err != nil {
		t.Fatal(err)
	}
	if chunk, err := ledger.Claim(ctx, db, claiming); err != nil || !chunk.Empty() {
		t.Errorf("%+v %v; want nothing", chunk, err)
	}
}

// A straggling Plan, or Finish, of the execution that was stopped does not hide why the campaign stands still.
func TestWhatTheStoppedExecutionStillDoesKeepsTheInterruption(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com")
	planned := *c
	if _, err := ledger.Interrupt(ctx, db, c, because); err != nil {
		t.Fatal(err)
	}
	if err := ledger.StartWave(ctx, db, ledger.Wave{Campaign: &planned, Batches: 1, AccountRate: 10}); err != nil {
		t.Fatal(err)
	}
	if err := ledger.NoteWait(ctx, db, &planned, "the quota"); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(ctx, db, c, ledger.Finished, "sent"); err != nil {
		t.Fatal(err)
	}
	if c.State != ledger.Interrupted || c.Reason != because {
		t.Errorf("the campaign is %s because of %q", c.State, c.Reason)
	}
}

// A Prepare that outlives its execution, or was invoked twice, may come so late that the end of its execution was first.
func TestAnExecutionThatHasEndedDoesNotTakeUpItsCampaignAgain(t *testing.T) {
	for _, end := range []ledger.CampaignState{ledger.Interrupted, ledger.Importing, ledger.Finished, ledger.Failed, ledger.Halted} {
		db, ctx := open(t), context.Background()
		c := start(t, db, "a@example.com")
		var err error
		switch end {
		case ledger.Importing:
			if _, err = db.ExecContext(ctx, "update fanmail.campaign set state = 'importing'"); err == nil {
				_, err = ledger.Interrupt(ctx, db, c, because)
			}
		case ledger.Interrupted:
			_, err = ledger.Interrupt(ctx, db, c, because)
		default:
			err = ledger.Close(ctx, db, c, end, because)
		}
		if err != nil || c.State != end || c.EndedAt.IsZero() {
			t.Fatalf("%s: %+v, %v", end, c, err)
		}
		opening := ledger.Opening{Name: "spring-sale", Execution: execution, Settings: []byte(`{}`), RecipientsTag: "tag"}
		_, ok, err := ledger.Open(ctx, db, opening)
		var busy *workflow.CampaignBusy
		if ok || !errors.As(err, &busy) {
			t.Errorf("%s: ok %v, error %v; want CampaignBusy", end, ok, err)
		}
		if now, err := ledger.Find(ctx, db, "spring-sale"); err != nil || now.State != end || now.EndedAt.IsZero() {
			t.Errorf("%s: it is now %+v, %v", end, now, err)
		}
		opening.Execution, opening.Predecessor = "next", execution
		if c, ok, err = ledger.Open(ctx, db, opening); err != nil || !ok || c.Execution != "next" {
			t.Errorf("%s: the next execution: ok %v, %v", end, ok, err)
		}
	}
}

func TestAnImportOfAnExecutionThatHasEndedIsNotBegun(t *testing.T) {
	db, ctx := open(t), context.Background()
	c, _, err := ledger.Open(ctx, db, ledger.Opening{Name: "spring-sale", Execution: execution, Settings: []byte(`{}`), RecipientsTag: "tag"})
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := ledger.Interrupt(ctx, db, c, because); err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	none := func() map[string]int64 { return nil }
	err = ledger.Import(ctx, db, c, rows("a@example.com"), func(ledger.Duplicate) error { return nil }, none)
	var busy *workflow.CampaignBusy
	if !errors.As(err, &busy) {
		t.Errorf("error %v, want CampaignBusy", err)
	}
	if now, err := ledger.Find(ctx, db, "spring-sale"); err != nil || now.State != ledger.Importing || now.Reason != because {
		t.Errorf("%+v %v", now, err)
	}
}
