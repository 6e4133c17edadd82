package endtoend

import (
	"strings"
	"testing"
	"time"

	"fanmail/local"
	"fanmail/local/ses"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// TestStragglersOfAStoppedExecutionDoNoHarm invokes all functions for an execution that has been stopped: invocations outlive an
// execution, and may be made twice.
func TestStragglersOfAStoppedExecutionDoNoHarm(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{MaxSendRate: 200, SESLatency: 100 * time.Millisecond})
	const n = 2000
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("some messages", func() bool { return d.SES().Accepted() > 200 })
	d.stop(first)
	d.await("the ledger to know", func() bool { return d.status("spring").State == "interrupted" })
	d.await("the senders to end", func() bool { return d.busySenders() == 0 })
	accepted := d.SES().Accepted()
	for range 2 {
		d.straggle(first)
	}
	if r := d.status("spring"); r.State != "interrupted" || r.Execution != first || d.SES().Accepted() != accepted {
		t.Errorf("SES has accepted %d, then %d; the campaign is %+v", accepted, d.SES().Accepted(), r)
	}

	second := d.start("spring")
	d.await("the second execution to have the campaign", func() bool { return d.status("spring").Execution == second })
	d.straggle(first)
	d.settings(fast)
	d.auditSent("spring", d.succeed(second), n)
	d.straggle(second)
	if r := d.status("spring"); r.State != "finished" || r.Execution != second {
		t.Errorf("the finished campaign is %+v", r)
	}
}

// straggle invokes every function as an execution that has ended would have. None may find anything to do.
func (d *stack) straggle(execution string) {
	d.t.Helper()
	content := workflow.Object{
		Bucket: d.Bucket(), Key: storage.WorkFolder("spring", execution) + "/content.json",
	}
	var sent workflow.SendOutput
	for wave := 1; wave <= 3; wave++ {
		d.invoke("send", workflow.SendInput{
			Campaign: "spring", Execution: execution, Content: content, Wave: wave,
			Batch: workflow.Batch{Number: 1, First: 1, Last: 10_000},
		}, &sent)
		if sent.Sent+sent.Failed != 0 || sent.More {
			d.t.Errorf("a sender of %s still sends: %+v", execution, sent)
		}
	}
	again := workflow.PrepareInput{Input: map[string]any{"campaign": "spring"}, Execution: execution}
	err := d.tryInvoke("prepare", again, new(workflow.PrepareOutput))
	if err == nil || !strings.Contains(err.Error(), "CampaignBusy") {
		d.t.Errorf("prepare for %s: %v", execution, err)
	}
	var plan workflow.PlanOutput
	err = d.tryInvoke("plan", workflow.PlanInput{Campaign: "spring", Execution: execution, Wave: 1}, &plan)
	if err == nil && plan.Next != workflow.NextFinish || err != nil && !strings.Contains(err.Error(), "CampaignBusy") {
		d.t.Errorf("plan for %s: %+v, %v", execution, plan, err)
	}
	// It failed; and the event of its end comes once more.
	for _, reason := range []string{"failed", workflow.ReasonInterrupted} {
		d.invoke("finish", workflow.FinishInput{
			Execution: execution, Reason: reason, Error: &workflow.StateError{Error: "TIMED_OUT"},
		}, new(workflow.Report))
	}
}

// TestAnImportThatOutlivesItsExecutionDoesNotRunForNobody: the import goes on after the abort, as on AWS, and the event of the abort
// comes while it holds the campaign.
func TestAnImportThatOutlivesItsExecutionDoesNotRunForNobody(t *testing.T) {
	t.Parallel()
	const n = 50_000
	d := deploy(t, local.Options{})
	first, goOn := d.startImport(n)
	d.stop(first)
	goOn()
	d.await("the ledger to know", func() bool {
		r := d.status("spring")
		return r.State == "interrupted" || r.State == "importing" && !r.EndedAt.IsZero()
	})
	if r := d.status("spring"); r.Execution != first || !strings.HasPrefix(r.Reason, "its execution is ABORTED") || d.SES().Accepted() != 0 {
		t.Errorf("the campaign is %+v", r)
	}
	d.imported(d.start("spring"), n)
}

// TestAScheduleThatFindsItsCampaignStartedByHand fires while the campaign is sent already: with the list of the schedule it is
// content, with another it fails, for somebody must see to those who were left out.
func TestAScheduleThatFindsItsCampaignStartedByHand(t *testing.T) {
	const n = 100
	for name, other := range map[string]bool{"with the same list": false, "with another list": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t, local.Options{MaxSendRate: 20})
			scheduled, byHand := list(n), list(n)
			if other {
				scheduled["recipients.csv"] += "more@example.com,More\n"
			}
			moment, text := d.minute(time.UTC, time.Hour)
			d.fanmail("start", d.write("spring", scheduled), "--at", text, "--zone", "UTC")
			d.upload("spring", byHand)
			hand := d.start("spring")
			d.await("a message", func() bool { return d.SES().Accepted() > 0 })
			d.move(moment)
			all := d.awaitExecutions(2)
			out := d.end(all[1])
			d.settings(func(s *ses.Settings) { s.MaxSendRate = 10_000 })
			if want := map[bool]string{false: "SUCCEEDED", true: "FAILED"}[other]; string(out.Status) != want {
				t.Errorf("the scheduled execution is %s, want %s", out.Status, want)
			}
			if other {
				if name, message := d.fail(all[1]); name != "CampaignBusy" && name != "InvalidCampaign" {
					t.Errorf("%s: %s", name, message)
				}
			}
			d.auditSent("spring", d.succeed(hand), n)
		})
	}
}
