package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/local/stack"
	"fanmail/shared/workflow"
)

func succeeded(t *testing.T) []map[string]any {
	return []map[string]any{{"status": "RUNNING"}, {"status": "SUCCEEDED", "stopDate": 103.0, "output": text(t, finished())}}
}

func TestStartUploadsStartsAndFollows(t *testing.T) {
	aws := &fakeAWS{unknown: true, describe: succeeded(t), status: finished()}
	env := newFakeAWS(t, aws)
	dir := write(t, map[string]string{"notes.txt": "not part of the campaign"})
	got := fanmail(t, env, "start", dir, "--json")
	if got.code != exitOK {
		t.Fatalf("exit code %d, stderr %s", got.code, got.stderr)
	}
	var end follow.End
	if err := json.Unmarshal([]byte(got.stdout), &end); err != nil {
		t.Fatal(err)
	}
	if end.Status != "SUCCEEDED" || end.Seconds != 2.5 || end.Report.Sent != 2 || end.Execution != fakeARN {
		t.Errorf("got %+v", end)
	}
	want := []string{"campaigns/spring-sale/recipients.csv", "campaigns/spring-sale/mail.html", "campaigns/spring-sale/mail.txt", "campaigns/spring-sale/campaign.yaml"}
	if !slices.Equal(aws.uploads, want) {
		t.Errorf("uploaded %q", aws.uploads)
	}
	if aws.started["input"] != `{"campaign":"spring-sale"}` || !strings.HasPrefix(aws.started["name"], "spring-sale-20") {
		t.Errorf("started %q", aws.started)
	}
}

func TestStartOfABadFolderUploadsNothing(t *testing.T) {
	aws := &fakeAWS{}
	env := newFakeAWS(t, aws)
	got := fanmail(t, env, "start", write(t, map[string]string{"mail.txt": "{{.nope}}"}))
	wantLines(t, got.stderr, "mail.txt:1: ")
	if got.code != exitFailed || len(aws.uploads) > 0 || aws.started != nil {
		t.Errorf("exit code %d, uploads %q, started %q", got.code, aws.uploads, aws.started)
	}
}

func TestStartNamesBadFolderAndMissingOutputsTogether(t *testing.T) {
	aws := &fakeAWS{stack: stack.New(stack.Config{Name: "fanmail-old", Outputs: []stack.Output{{Key: "Bucket", Value: "bucket"}}})}
	env := newFakeAWS(t, aws)
	delete(env, "FANMAIL_STATE_MACHINE_ARN")
	delete(env, "FANMAIL_CONTROL_FUNCTION")
	got := fanmail(t, env, "start", "--stage", "old", write(t, map[string]string{"mail.txt": "{{.nope}}"}))
	wantLines(t, got.stderr, "mail.txt:1: ", "the stack fanmail-old has no output StateMachineArn (", "the stack fanmail-old has no output ControlFunction (")
	if got.code != exitFailed || len(aws.uploads) > 0 || aws.started != nil {
		t.Errorf("exit code %d, uploads %q, started %q", got.code, aws.uploads, aws.started)
	}
}

func TestStartByName(t *testing.T) {
	aws := &fakeAWS{unknown: true, describe: succeeded(t), status: finished(), objects: map[string]string{"campaigns/spring-sale/campaign.yaml": "x"}}
	env := newFakeAWS(t, aws)
	got := fanmail(t, env, "start", "spring-sale", "--follow=false", "--execution-name", "mine")
	if got.code != exitOK || !strings.HasPrefix(got.stdout, fakeARN+"\nStarted; ") || aws.started["name"] != "mine" || len(aws.uploads) > 0 {
		t.Errorf("exit code %d, %+v, %s%s", got.code, aws.started, got.stdout, got.stderr)
	}
	aws.started = nil
	got = fanmail(t, env, "start", "winter-sale")
	wantLines(t, got.stderr, "winter-sale: no such folder here, and no campaign of this name in the bucket")
	got = fanmail(t, env, "start", "./winter-sale")
	wantLines(t, got.stderr, "./winter-sale: no such folder")
}

func TestStartReportsHowAnExecutionFailed(t *testing.T) {
	cause := `{"errorMessage":"spring-sale is being sent by another execution","errorType":"CampaignBusy"}`
	aws := &fakeAWS{unknown: true, describe: []map[string]any{{"status": "FAILED", "stopDate": 103.0, "error": "CampaignBusy", "cause": cause}}}
	env := newFakeAWS(t, aws)
	got := fanmail(t, env, "start", write(t, nil))
	if got.code != exitFailed || got.stdout != "" || !strings.HasSuffix(got.stderr, "\nfanmail: the execution ended as FAILED: CampaignBusy: spring-sale is being sent by another execution\n") {
		t.Errorf("exit code %d, stderr:\n%s", got.code, got.stderr)
	}
}

func TestStartReportsARefusal(t *testing.T) {
	aws := &fakeAWS{unknown: true, start: map[string]any{"__type": "ExecutionAlreadyExists", "message": "Execution Already Exists: 'mine'"},
		objects: map[string]string{"campaigns/spring-sale/campaign.yaml": "x"}}
	env := newFakeAWS(t, aws)
	got := fanmail(t, env, "start", "spring-sale", "--execution-name", "mine")
	wantLines(t, got.stderr, "starting the execution mine: ExecutionAlreadyExists: Execution Already Exists: 'mine'")
}

func TestNoAnswerFromTheEndpointIsOneLine(t *testing.T) {
	env := setAWS(t, "http://127.0.0.1:1")
	got := fanmail(t, env, "status", "spring-sale")
	wantLines(t, got.stderr, "asking for the status of spring-sale: no answer from AWS_ENDPOINT_URL=http://127.0.0.1:1 (connect: connection refused): is `fanmail local` running?")
	if got.code != exitFailed {
		t.Errorf("exit code %d", got.code)
	}
}

func TestNoCredentialsAreOneLine(t *testing.T) {
	env := setAWS(t, "http://127.0.0.1:1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	got := fanmail(t, env, "status", "spring-sale")
	wantLines(t, got.stderr, "asking for the status of spring-sale: no AWS credentials: name a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID")
}

func TestARefusedStartUploadsNothing(t *testing.T) {
	const list = "d7d0e96ea0b0a3a5f7e7bb0cbd0a5f9ea8f2ea15be2b3f2e5f3e6b0f4a3a6a1d" // of another file
	ended := time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		name      string
		ledger    workflow.Report
		execution string
		want      string // "" means that it starts
	}{
		{"running", workflow.Report{State: "running"}, "RUNNING", "campaign spring-sale is being run by " + fakeARN + "; wait for it to end, or stop it first"},
		{"importing", workflow.Report{State: "importing"}, "RUNNING", "campaign spring-sale is being run by " + fakeARN},
		{"to be redriven", workflow.Report{State: "running"}, "PENDING_REDRIVE", "campaign spring-sale is being run by " + fakeARN},
		{"cancelled", workflow.Report{State: "cancelled"}, "", "campaign spring-sale was cancelled and can't be started again; give the folder a new name"},
		{"finished", workflow.Report{State: "finished", EndedAt: ended, RecipientsDigest: list}, "",
			"spring-sale finished already on 2026-11-23 at 09:05 UTC: nothing is left to send; to mail again, give the folder a new name"},
		{"another list", workflow.Report{State: "paused", RecipientsDigest: list, EndedAt: ended}, "",
			"campaign spring-sale: recipients.csv is not the file that the campaign was started with; put the old one back to resume it, or"},
		{"interrupted with another list", workflow.Report{State: "running", RecipientsDigest: list}, "ABORTED", "campaign spring-sale: recipients.csv is not the file"},
		{"interrupted", workflow.Report{State: "running", RecipientsDigest: goodList}, "ABORTED", ""},
		{"interrupted in the ledger", workflow.Report{State: "interrupted", RecipientsDigest: goodList, EndedAt: ended}, "RUNNING", ""},
		{"interrupted in the ledger, with another list", workflow.Report{State: "interrupted", RecipientsDigest: list, EndedAt: ended}, "", "campaign spring-sale: recipients.csv is not the file"},
		{"forgotten", workflow.Report{State: "running", RecipientsDigest: goodList}, "", ""},
		{"halted", workflow.Report{State: "halted", RecipientsDigest: goodList, EndedAt: ended}, "", ""},
		{"import interrupted with another list", workflow.Report{State: "importing", RecipientsDigest: list}, "TIMED_OUT", ""},
		{"a control function without digests", workflow.Report{State: "failed"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.ledger.Execution = fakeARN
			aws := &fakeAWS{status: c.ledger}
			if c.execution != "" {
				aws.describe = []map[string]any{{"status": c.execution}}
			}
			got := fanmail(t, newFakeAWS(t, aws), "start", write(t, nil), "--follow=false")
			if c.want == "" {
				if got.code != exitOK || len(aws.uploads) == 0 || aws.started == nil {
					t.Errorf("exit code %d, uploads %q, started %v, %s", got.code, aws.uploads, aws.started, got.stderr)
				}
				return
			}
			if got.code != exitFailed || got.stdout != "" || len(aws.uploads) > 0 || aws.started != nil || strings.Count(got.stderr, "fanmail: "+c.want) != 1 {
				t.Errorf("exit code %d, uploads %q, started %v, %s%s", got.code, aws.uploads, aws.started, got.stdout, got.stderr)
			}
		})
	}
}

func TestStartIsRefusedWhenTheLedgerCannotBeAsked(t *testing.T) {
	aws := &fakeAWS{statusFails: true, status: map[string]string{"errorMessage": "the database is gone", "errorType": "DatabaseFailed"}}
	got := fanmail(t, newFakeAWS(t, aws), "start", write(t, nil))
	wantLines(t, got.stderr, "asking for the status of spring-sale: the database is gone")
	if got.code != exitFailed || len(aws.uploads) > 0 || aws.started != nil {
		t.Errorf("exit code %d, uploads %q, started %v", got.code, aws.uploads, aws.started)
	}
}
