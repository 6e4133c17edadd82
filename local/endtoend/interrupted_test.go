package endtoend

import (
	"testing"
	"time"

	"fanmail/local"
	"fanmail/local/ses"
	"fanmail/shared/workflow"
)

func TestAnAbortedCampaignIsInterruptedAtOnceAndItsSendersStop(t *testing.T) {
	t.Parallel()
	// Left alone, the senders would need half a minute, which is their one invocation.
	d := deploy(t, local.Options{MaxSendRate: 100, SESLatency: 100 * time.Millisecond})
	const n = 3000
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("some messages", func() bool { return d.SES().Accepted() > 200 })
	d.stop(first)
	stopped := time.Now()
	d.await("the ledger to know", func() bool { return d.status("spring").State == "interrupted" })
	known := time.Since(stopped)
	d.await("the senders to end", func() bool { return d.busySenders() == 0 })
	t.Logf("the ledger knew after %v, the last sender ended after %v", known, time.Since(stopped))
	accepted := int64(d.SES().Accepted())
	r := d.status("spring")
	if want := "its execution is ABORTED; `fanmail start spring` resumes it"; r.Reason != want || r.EndedAt.IsZero() {
		t.Errorf("it is %s because of %q, ended %v; want %q", r.State, r.Reason, r.EndedAt, want)
	}
	if r.Sent != accepted || r.Pending != n-accepted || accepted > n/2 {
		t.Errorf("SES has accepted %d, sent are %d, pending %d", accepted, r.Sent, r.Pending)
	}
	d.settings(func(s *ses.Settings) { s.MaxSendRate = 10_000 })
	d.auditSent("spring", d.succeed(d.start("spring")), n)
}

func TestALateEventOfAStoppedExecutionDoesNotHarmItsSuccessor(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{SESLatency: 100 * time.Millisecond})
	const n = 2000
	d.upload("spring", list(n))
	first := d.start("spring")
	d.await("a quarter of the messages", func() bool { return d.SES().Accepted() > n/4 })
	d.stop(first)
	second := d.start("spring")
	d.await("the second execution to have the campaign", func() bool { return d.status("spring").Execution == second })
	// Late, and more than once; one for a child of the Map, as a rule for all state machines would send it.
	for _, execution := range []string{first, first, first + "/Send:7b1e3c2a-5a43-4a2b-9d0f-3f7f3a0f8f10"} {
		var answer workflow.Report
		d.invoke("finish", workflow.FinishInput{
			Execution: execution, Reason: workflow.ReasonInterrupted, Error: &workflow.StateError{Error: "ABORTED"},
		}, &answer)
		if answer.Campaign != "" {
			t.Errorf("the event of %s has changed %+v", execution, answer)
		}
	}
	d.auditSent("spring", d.succeed(second), n)
}

func TestAnExecutionThatFailsKeepsItsReason(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	d.upload("spring", list(3))
	if err := d.Lambda().Refuse("fanmail-local-send", "KMSNotFoundException", 1000); err != nil {
		t.Fatal(err)
	}
	name, message := d.fail(d.start("spring"))
	if name != "CampaignStuck" {
		t.Errorf("%s: %s", name, message)
	}
	// The event of the failure comes after the state machine has closed the campaign.
	d.await("the event", func() bool {
		finish := d.Lambda().Stats()["fanmail-local-finish"]
		return finish.Invocations == 2 && finish.Busy == 0
	})
	if r := d.status("spring"); r.State != "failed" || r.Reason != "CampaignStuck: "+message {
		t.Errorf("the campaign is %s because of %q", r.State, r.Reason)
	}
}
