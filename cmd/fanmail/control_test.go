package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"fanmail/shared/workflow"
)

// held is the report of a campaign of 23, 21 of them in doubt.
func held() workflow.Report {
	r := finished()
	r.Recipients, r.InDoubt, r.Reason = 23, 21, "sent, but 21 recipients are held in doubt"
	for seq := range int64(workflow.MaxHeld) {
		r.Held = append(r.Held, workflow.Held{Seq: seq + 1, Line: seq + 2, Address: "ann@example.com", Since: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)})
	}
	return r
}

func TestStatusAndReportListWhatIsInDoubt(t *testing.T) {
	r := held()
	env := newFakeAWS(t, &fakeAWS{status: r, objects: map[string]string{"reports/spring-sale/report.json": text(t, finished())}})
	const want = `In doubt (it is not known whether SES took the mail of 21 recipients):
  line 2: ann@example.com, since 2026-11-23T09:00:00Z
`
	const end = `  line 21: ann@example.com, since 2026-11-23T09:00:00Z
  and 1 more
` + "`fanmail resolve spring-sale --resend` mails them with the next start, `--drop` leaves them out for good\n"
	for _, verb := range []string{"status", "report"} {
		got := fanmail(t, env, verb, "spring-sale")
		if got.code != exitOK || !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, end) {
			t.Errorf("%s: exit code %d:\n%s%s", verb, got.code, got.stdout, got.stderr)
		}
	}
}

func TestResolveAndRateAskTheControlFunction(t *testing.T) {
	settled := finished()
	settled.Resolved = 1200
	for _, test := range []struct {
		args   []string
		answer workflow.Report
		asked  workflow.ControlInput
		stdout string
	}{
		{[]string{"resolve", "spring-sale", "--resend"}, settled, workflow.ControlInput{Action: "resend", Campaign: "spring-sale"}, "1,200 recipients of spring-sale are pending: `fanmail start spring-sale` mails them\n"},
		{[]string{"resolve", "spring-sale", "--drop"}, settled, workflow.ControlInput{Action: "drop", Campaign: "spring-sale"}, "1,200 recipients of spring-sale are left out\n"},
		{[]string{"resolve", "spring-sale", "--drop"}, finished(), workflow.ControlInput{Action: "drop", Campaign: "spring-sale"}, "spring-sale holds nobody in doubt\n"},
		{[]string{"rate", "spring-sale", "20.5"}, finished(), workflow.ControlInput{Action: "rate", Campaign: "spring-sale", Rate: 20.5}, "spring-sale sends to 20.5 recipients per second\n"},
		{[]string{"rate", "spring-sale", "0"}, finished(), workflow.ControlInput{Action: "rate", Campaign: "spring-sale"}, "spring-sale sends as fast as the SES account allows\n"},
	} {
		f := &fakeAWS{status: test.answer}
		got := fanmail(t, newFakeAWS(t, f), test.args...)
		if got.code != exitOK || got.stdout != test.stdout || !reflect.DeepEqual(f.controlled, test.asked) {
			t.Errorf("%v: exit code %d, asked %+v:\n%s%s", test.args, got.code, f.controlled, got.stdout, got.stderr)
		}
	}
}

func TestResolveAndRateRefuseWhatTheyDoNotUnderstand(t *testing.T) {
	f := &fakeAWS{status: finished()}
	env := newFakeAWS(t, f)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"resolve", "spring-sale"}, "resolve takes either --resend or --drop (see"},
		{[]string{"resolve", "spring-sale", "--resend", "--drop"}, "resolve takes either --resend or --drop (see"},
		{[]string{"resolve", "./Spring", "--drop"}, "resolve takes a NAME such as"},
		{[]string{"rate", "spring-sale"}, "1 arguments where two are wanted: fanmail rate NAME RATE"},
		{[]string{"rate", "spring-sale", "fast"}, `rate "fast": it must be 0.01 to 100000 recipients per second`},
		{[]string{"rate", "spring-sale", "-1"}, "unknown shorthand flag"},
		{[]string{"rate", "spring-sale", "Inf"}, `rate "Inf": it must be`},
	} {
		got := fanmail(t, env, test.args...)
		if got.code != exitUsage || f.controlled.Action != "" {
			t.Errorf("%v: exit code %d, asked %+v", test.args, got.code, f.controlled)
		}
		wantLines(t, got.stderr, test.want)
	}
}

func TestResolveSaysWhoIsLeft(t *testing.T) {
	fresh := finished()
	fresh.InDoubt = 3
	some := fresh
	some.Resolved = 7
	running := fresh
	running.State, running.EndedAt, running.InDoubt, running.Resolved = "running", time.Time{}, 0, 7
	const left = "3 recipients of spring-sale came into doubt less than a minute ago, and their senders may still be recording: run it again in a minute"
	for _, test := range []struct {
		answer         workflow.Report
		code           int
		stdout, stderr string
	}{
		{fresh, exitFailed, "", left},
		{some, exitFailed, "7 recipients of spring-sale are pending: `fanmail start spring-sale` mails them\n", left},
		{running, exitOK, "7 recipients of spring-sale are pending: its execution, or the next start, mails them\n", ""},
	} {
		got := fanmail(t, newFakeAWS(t, &fakeAWS{status: test.answer}), "resolve", "spring-sale", "--resend")
		if got.code != test.code || got.stdout != test.stdout || !strings.Contains(got.stderr, test.stderr) {
			t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	}
}

func TestResolveOfAnUnknownCampaign(t *testing.T) {
	env := newFakeAWS(t, &fakeAWS{statusFails: true, status: map[string]string{"errorMessage": "there is no campaign x", "errorType": "CampaignUnknown"}})
	got := fanmail(t, env, "resolve", "x", "--drop")
	if got.code != exitFailed {
		t.Errorf("exit code %d", got.code)
	}
	wantLines(t, got.stderr, "resolving x: there is no campaign x")
}
