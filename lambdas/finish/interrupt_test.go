package main

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// interruption is the input that the rule of EventBridge makes.
func interruption(t *testing.T, execution, status string) workflow.FinishInput {
	t.Helper()
	var in workflow.FinishInput
	check(t, json.Unmarshal([]byte(`{"execution":"`+execution+`","reason":"interrupted","error":{"Error":"`+status+`","Cause":""}}`), &in))
	return in
}

func TestAnInterruptionIsNotedOnceAndWithoutAReport(t *testing.T) {
	f := newFixture(t, 2)
	execution := event(t).Execution
	got, err := f.handler.handle(context.Background(), interruption(t, execution, "ABORTED"))
	check(t, err)
	want := workflow.Report{Campaign: "spring-sale", Execution: execution, State: "interrupted", Reason: "its execution is ABORTED; `fanmail start spring-sale` resumes it"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	first := f.campaign(t)
	if first.State != ledger.Interrupted || first.Reason != want.Reason || first.EndedAt.IsZero() {
		t.Errorf("the campaign is %s because of %q, ended %v", first.State, first.Reason, first.EndedAt)
	}
	// EventBridge may deliver an event twice.
	got, err = f.handler.handle(context.Background(), interruption(t, execution, "FAILED"))
	check(t, err)
	if diff := cmp.Diff(workflow.Report{Execution: execution}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(first, f.campaign(t)); diff != "" {
		t.Errorf("the second event changes the campaign:\n%s", diff)
	}
	if f.download(t, "reports/spring-sale/report.json")+f.download(t, "reports/spring-sale/outcomes.csv") != "" {
		t.Error("a report was written")
	}
}

func TestAnInterruptionOfWhoOwnsNothingChangesNothing(t *testing.T) {
	f := newFixture(t, 1)
	before := f.campaign(t)
	for _, execution := range []string{
		"arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:another",
		// A child of the Map.
		"arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign/Send:7b1e3c2a-5a43-4a2b-9d0f-3f7f3a0f8f10",
	} {
		got, err := f.handler.handle(context.Background(), interruption(t, execution, "ABORTED"))
		if err != nil || !cmp.Equal(got, workflow.Report{Execution: execution}) {
			t.Errorf("answer %+v, %v; want an empty report", got, err)
		}
	}
	// The campaign was taken over before the event of its first execution came.
	_, ok, err := ledger.Open(context.Background(), f.db, ledger.Opening{Name: "spring-sale", Execution: "second", Settings: []byte(`{}`), RecipientsTag: "tag", Predecessor: before.Execution})
	if err != nil || !ok {
		t.Fatalf("taken over: %v, %v", ok, err)
	}
	_, err = f.handler.handle(context.Background(), interruption(t, before.Execution, "ABORTED"))
	check(t, err)
	if c := f.campaign(t); c.State != ledger.Running || c.Execution != "second" || !c.EndedAt.IsZero() {
		t.Errorf("the campaign is %s of %s, ended %v", c.State, c.Execution, c.EndedAt)
	}
}

// The state machine itself may close a campaign that was interrupted: after a redrive of its execution.
func TestFinishKeepsAnInterruption(t *testing.T) {
	f := newFixture(t, 1)
	_, err := f.handler.handle(context.Background(), interruption(t, event(t).Execution, "FAILED"))
	check(t, err)
	in := event(t)
	in.Reason = workflow.ReasonInterrupted
	got, err := f.handler.handle(context.Background(), in)
	check(t, err)
	if got.State != "interrupted" || got.Pending != 1 || f.download(t, "reports/spring-sale/report.json") == "" {
		t.Errorf("%+v; want a report of an interrupted campaign", got)
	}
}
