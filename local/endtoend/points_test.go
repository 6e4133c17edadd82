package endtoend

import (
	"testing"
	"time"

	"fanmail/local"
	"fanmail/local/faults"
	"fanmail/shared/workflow"
)

// impatient are the functions with short times: a claim runs out after 4 s, and its events are waited for twice as long.
var impatient = map[string]string{"FANMAIL_SES_TIMEOUT": "1s", "FANMAIL_GRACE": "8s"}

// TestASenderKilledAtANamedPoint is the table of docs/guarantees.md: what becomes of a recipient whose sender is killed there, with SES
// events that arrive, and without.
func TestASenderKilledAtANamedPoint(t *testing.T) {
	const n = 120
	for _, test := range []struct {
		name  string
		point faults.Point
		dead  bool
		// held: the recipients whose sender was killed are held; mailed: they were mailed.
		held, mailed bool
	}{
		{"after the claim, events alive", faults.AtClaim, false, false, true},
		{"after the claim, events dead", faults.AtClaim, true, true, false},
		{"between answer and record, events alive", faults.AtAnswer, false, false, true},
		{"between answer and record, events dead", faults.AtAnswer, true, true, true},
		{"during the record, events alive", faults.AtRecord, false, false, true},
		// PostgreSQL finishes a statement whose client has died, so the record may stand.
		{"during the record, events dead", faults.AtRecord, true, false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			settings := faults.Settings{Seed: 7, Send: faults.Send{KillAt: test.point, KillAtShare: 0.02}}
			if test.point == faults.AtClaim {
				// With this seed they are the second and the fifth claim.
				settings.Seed, settings.Send.KillAtShare = 24, 0.2
			}
			if test.dead {
				settings.Events.Lose = 1
			}
			d := deploy(t, local.Options{FunctionEnvironment: impatient, Senders: 2, Faults: settings})
			d.upload("spring", list(n))
			r := d.succeed(d.start("spring"))
			counts := d.FaultCounts()
			if counts.KillsAtPoint == 0 {
				t.Fatal("no sender was killed")
			}
			t.Logf("%d kills, %d waves, %d in doubt", counts.KillsAtPoint, r.Waves, r.InDoubt)
			if !test.dead {
				d.auditSent("spring", r, n)
				return
			}
			mailed := map[string]bool{}
			for _, entry := range d.mailbox() {
				mailed[entry.To[0]] = true
			}
			var held, heldAndMailed int64
			for _, row := range d.audit("spring") {
				if row.State == "claimed" {
					held++
					if mailed[row.Address] {
						heldAndMailed++
					}
				}
			}
			if r.State != "finished" || r.InDoubt != held || r.Sent != n-held || int64(len(r.Held)) != min(held, workflow.MaxHeld) {
				t.Errorf("%d are held; the report is %+v", held, r)
			}
			if test.held && held == 0 || test.mailed && test.held && heldAndMailed == 0 || !test.mailed && heldAndMailed != 0 {
				t.Errorf("%d are held, %d of them were mailed", held, heldAndMailed)
			}
			// Starting again mails nobody of them; a person may.
			again := d.succeed(d.start("spring"))
			if again.InDoubt != held || again.Sent != n-held {
				t.Errorf("started again: %+v", again)
			}
			d.audit("spring")
			d.resolve(held, heldAndMailed)
		})
	}
}

// resolve settles by hand what campaign spring holds: by a drop if some of it was mailed.
func (d *stack) resolve(held, mailed int64) {
	d.t.Helper()
	// Nobody waits here until no sender can be recording any more.
	d.execute("update fanmail.recipient set claimed_until = claimed_until - interval '1 minute' where state = 'claimed'")
	action := workflow.ActionResend
	if mailed > 0 {
		action = workflow.ActionDrop
	}
	var r workflow.Report
	d.invoke("control", workflow.ControlInput{Action: action, Campaign: "spring"}, &r)
	if r.Resolved != held || r.InDoubt != 0 {
		d.t.Errorf("%s: %+v, want %d resolved", action, r, held)
	}
	if err := d.SetFaults(faults.Settings{}); err != nil {
		d.t.Fatal(err)
	}
	last := d.succeed(d.start("spring"))
	if mailed > 0 && (last.Skipped != held || last.Sent != r.Sent) || mailed == 0 && last.Sent != last.Recipients {
		d.t.Errorf("after %s: %+v", action, last)
	}
	d.audit("spring")
}

func TestTwoRunsOfTheSameBatchAtTheSameTimeMailEachRecipientOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 20 * time.Millisecond, Senders: 4})
	const n = 600
	d.upload("spring", list(n))
	// Step Functions does not know this execution, so that this test alone runs senders.
	const execution = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:by-hand"
	var prepared workflow.PrepareOutput
	d.invoke("prepare", workflow.PrepareInput{Input: map[string]any{"campaign": "spring"}, Execution: execution}, &prepared)
	var planned workflow.PlanOutput
	d.invoke("plan", workflow.PlanInput{Campaign: "spring", Execution: execution}, &planned)
	in := workflow.SendInput{
		Campaign: "spring", Execution: execution, Content: prepared.Content, Wave: planned.Wave,
		Batch: workflow.Batch{Number: 1, First: 1, Last: n, Pending: n},
	}
	results := make(chan workflow.SendOutput, 4)
	failures := make(chan error, 4)
	for range cap(results) {
		go func() {
			var out workflow.SendOutput
			failures <- d.tryInvoke("send", in, &out)
			results <- out
		}()
	}
	var sent int64
	atWork := 0
	for range cap(results) {
		if err := <-failures; err != nil {
			t.Error(err)
		}
		out := <-results
		sent += out.Sent
		if out.Sent > 0 {
			atWork++
		}
	}
	if sent != n || atWork < 2 {
		t.Errorf("%d runs sent %d messages, want %d, and several runs at work", atWork, sent, n)
	}
	rows := d.audit("spring")
	if mails := d.mailbox(); len(mails) != n || len(rows) != n {
		t.Errorf("%d messages for %d recipients, want one each", len(mails), n)
	}
}
