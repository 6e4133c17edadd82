package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestTheReportAddsUpAndTheCampaignIsFinished(t *testing.T) {
	f := newFixture(t, 6)
	// One recipient in each state, and one in doubt.
	f.exec(t, `
		update fanmail.recipient set state = 'sent', claim = gen_random_uuid(), message_id = 'm1', settled_at = '2026-11-23 10:00:00+01' where seq = 1;
		update fanmail.recipient set state = 'failed', reason = 'MessageRejected: "bad", says SES', settled_at = '2026-11-23 09:00:01Z' where seq = 2;
		update fanmail.recipient set state = 'suppressed', reason = 'complaint', settled_at = '2026-11-23 09:00:02Z' where seq = 3;
		update fanmail.recipient set state = 'skipped', reason = 'unsubscribed', settled_at = '2026-11-23 09:00:03Z' where seq = 4;
		update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = '2026-11-23 09:00:00Z' where seq = 5;
		update fanmail.campaign set waves = 2, batches = 7`)
	got, err := f.handler.handle(context.Background(), event(t))
	check(t, err)
	if got.StartedAt.IsZero() || got.EndedAt.Before(got.StartedAt) {
		t.Errorf("started at %v, ended at %v", got.StartedAt, got.EndedAt)
	}
	want := workflow.Report{RecipientsDigest: "tag", Campaign: "spring-sale", Execution: event(t).Execution, State: "finished", Reason: "sent, but 1 recipients are held in doubt, and 1 are pending: the next start of the campaign mails these",
		Recipients: 6, Sent: 1, Failed: 1, Suppressed: 1, Skipped: 1, InDoubt: 1, Pending: 1,
		Rejected: 2, RejectedByReason: map[string]int64{"not an address": 2}, Waves: 2, Batches: 7,
		StartedAt: got.StartedAt, EndedAt: got.EndedAt,
		Held:     []workflow.Held{{Seq: 5, Line: 6, Address: "r5@example.com", Since: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}},
		Outcomes: workflow.Object{Bucket: bucket, Key: "reports/spring-sale/outcomes.csv"},
		Rejects:  workflow.Object{Bucket: bucket, Key: "reports/spring-sale/rejects.csv"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var stored workflow.Report
	check(t, json.Unmarshal([]byte(f.download(t, "reports/spring-sale/report.json")), &stored))
	if diff := cmp.Diff(got, stored); diff != "" {
		t.Errorf("report.json is not the answer:\n%s", diff)
	}
	outcomes := `seq,line,email,state,reason,messageId,settledAt
1,2,r1@example.com,sent,,m1,2026-11-23T09:00:00Z
2,3,r2@example.com,failed,"MessageRejected: ""bad"", says SES",,2026-11-23T09:00:01Z
3,4,r3@example.com,suppressed,complaint,,2026-11-23T09:00:02Z
4,5,r4@example.com,skipped,unsubscribed,,2026-11-23T09:00:03Z
5,6,r5@example.com,in doubt,,,
6,7,r6@example.com,pending,,,
`
	if diff := cmp.Diff(outcomes, f.download(t, "reports/spring-sale/outcomes.csv")); diff != "" {
		t.Error(diff)
	}
	if c := f.campaign(t); c.State != ledger.Finished {
		t.Errorf("the campaign is %s, want finished", c.State)
	}
}

func TestAnErrorMakesTheCampaignFailedForItsReason(t *testing.T) {
	f := newFixture(t, 1)
	for _, test := range []struct {
		name string
		err  workflow.StateError
		want string
	}{
		{"of a function", workflow.StateError{Error: "CampaignStuck", Cause: `{"errorMessage":"2 waves mailed nobody","errorType":"CampaignStuck"}`}, "CampaignStuck: 2 waves mailed nobody"},
		{"of Step Functions", workflow.StateError{Error: "States.Runtime", Cause: "the JSON path is wrong"}, "States.Runtime: the JSON path is wrong"},
		{"with an object for a cause", workflow.StateError{Error: "States.TaskFailed", Cause: `{"a":1}`}, `States.TaskFailed: {"a":1}`},
		{"of a timeout, without a cause", workflow.StateError{Error: "States.Timeout"}, "States.Timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := event(t)
			in.Reason, in.Error = "failed", &test.err
			got, err := f.handler.handle(context.Background(), in)
			check(t, err)
			if got.State != "failed" || got.Reason != test.want || got.EndedAt.IsZero() {
				t.Errorf("the campaign is %s because of %q, ended %v; want it failed because of %q", got.State, got.Reason, got.EndedAt, test.want)
			}
			if report := f.download(t, "reports/spring-sale/report.json"); !strings.Contains(report, `"state":"failed"`) {
				t.Errorf("report.json: %s", report)
			}
		})
	}
}

func TestAFailedImportStaysAnImportForTheNextStart(t *testing.T) {
	f := newFixture(t, 1)
	f.exec(t, "delete from fanmail.recipient; update fanmail.campaign set state = 'importing', recipients = 0")
	in := event(t)
	in.Error = &workflow.StateError{Error: "InvalidCampaign", Cause: `{"errorMessage":"no good address"}`}
	_, err := f.handler.handle(context.Background(), in)
	check(t, err)
	if c := f.campaign(t); c.State != ledger.Importing || c.Reason != "InvalidCampaign: no good address" {
		t.Errorf("the campaign is %s because of %q, want it importing with the reason", c.State, c.Reason)
	}
}

func TestAStoppedCampaignKeepsItsStateAndReason(t *testing.T) {
	f := newFixture(t, 1)
	for _, state := range []ledger.CampaignState{ledger.Paused, ledger.Halted, ledger.Cancelled} {
		f.exec(t, "update fanmail.campaign set state = '"+string(state)+"', reason = 'because'")
		in := event(t)
		in.Reason = string(state)
		got, err := f.handler.handle(context.Background(), in)
		check(t, err)
		if got.State != string(state) || got.Reason != "because" || got.EndedAt.IsZero() {
			t.Errorf("the report is %s because of %q, ended %v; want it %s because of its own reason", got.State, got.Reason, got.EndedAt, state)
		}
	}
}

func TestFinishingAgainGivesTheSameReport(t *testing.T) {
	f := newFixture(t, 1)
	first, err := f.handler.handle(context.Background(), event(t))
	check(t, err)
	second, err := f.handler.handle(context.Background(), event(t))
	check(t, err)
	second.EndedAt = first.EndedAt
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
}

func TestAnExecutionThatOwnsNothingChangesNothing(t *testing.T) {
	f := newFixture(t, 1)
	in := event(t)
	in.Execution = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:another"
	in.Error = &workflow.StateError{Error: "InvalidCampaign", Cause: "{}"}
	got, err := f.handler.handle(context.Background(), in)
	if err != nil || !cmp.Equal(got, workflow.Report{Execution: in.Execution}) {
		t.Errorf("answer %+v, %v; want an empty report", got, err)
	}
	if c := f.campaign(t); c.State != ledger.Running || !c.EndedAt.IsZero() {
		t.Errorf("the campaign of the other execution is %s, ended %v", c.State, c.EndedAt)
	}
	if f.download(t, "reports/spring-sale/report.json")+f.download(t, "reports/spring-sale/outcomes.csv") != "" {
		t.Error("a report was written for a campaign that is another execution's")
	}
}
