package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanmail/shared/workflow"
)

func TestStatus(t *testing.T) {
	running := finished()
	running.State, running.Reason, running.Sent, running.Pending = "running", "", 1, 1
	env := newFakeAWS(t, &fakeAWS{status: running, describe: []map[string]any{{"status": "RUNNING"}}})
	got := fanmail(t, env, "status", "spring-sale")
	if got.code != exitOK || !strings.HasPrefix(got.stdout, "campaign        spring-sale\nstate           running\nrecipients      2\n  sent          1\n") {
		t.Errorf("exit code %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	var r workflow.Report
	if err := json.Unmarshal([]byte(fanmail(t, env, "status", "spring-sale", "--json").stdout), &r); err != nil || r.Pending != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestStatusOfACampaignWhoseExecutionWasStopped(t *testing.T) {
	running := finished()
	running.State, running.Reason = "running", ""
	env := newFakeAWS(t, &fakeAWS{status: running, describe: []map[string]any{{"status": "ABORTED", "stopDate": 103.0}}})
	got := fanmail(t, env, "status", "spring-sale")
	if got.code != exitOK || !strings.Contains(got.stdout, "state           interrupted\nreason          its execution is ABORTED; `fanmail start spring-sale` resumes it\n") {
		t.Errorf("exit code %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestStatusOfACampaignThatTheLedgerKnowsToBeInterruptedAsksNobodyElse(t *testing.T) {
	interrupted := finished()
	interrupted.State, interrupted.Reason, interrupted.EndedAt = "interrupted", "its execution is ABORTED", time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	env := newFakeAWS(t, &fakeAWS{status: interrupted, describe: []map[string]any{{"status": "FAILED"}}})
	got := fanmail(t, env, "status", "spring-sale")
	if got.code != exitOK || !strings.Contains(got.stdout, "state           interrupted\nreason          its execution is ABORTED\n") {
		t.Errorf("exit code %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestStatusAsJSONSaysInterruptedAndLeavesOutNoFiles(t *testing.T) {
	running := workflow.Report{Campaign: "spring-sale", Execution: fakeARN, State: "running"}
	env := newFakeAWS(t, &fakeAWS{status: running}) // Step Functions has forgotten the execution
	got := fanmail(t, env, "status", "spring-sale", "--json")
	if got.code != exitOK || !strings.Contains(got.stdout, `"state":"interrupted"`) || strings.Contains(got.stdout, "outcomes") || strings.Contains(got.stdout, "rejects\"") {
		t.Errorf("exit code %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestStatusOfARefusedImportIsNoInterruption(t *testing.T) {
	refused := finished()
	refused.State, refused.Reason, refused.EndedAt = "importing", "InvalidCampaign: no good address", time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	env := newFakeAWS(t, &fakeAWS{status: refused, describe: []map[string]any{{"status": "FAILED", "stopDate": 103.0}}})
	got := fanmail(t, env, "status", "spring-sale")
	if got.code != exitOK || !strings.Contains(got.stdout, "reason          InvalidCampaign: no good address\n") || strings.Contains(got.stdout, "interrupted") {
		t.Errorf("exit code %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestStatusOfAnUnknownCampaign(t *testing.T) {
	env := newFakeAWS(t, &fakeAWS{statusFails: true, status: map[string]string{"errorMessage": "there is no campaign x", "errorType": "CampaignUnknown"}})
	got := fanmail(t, env, "status", "x")
	wantLines(t, got.stderr, "asking for the status of x: there is no campaign x")
	if got.code != exitFailed || got.stdout != "" {
		t.Errorf("exit code %d, stdout %q", got.code, got.stdout)
	}
}

func TestReportDownloadsTheFiles(t *testing.T) {
	env := newFakeAWS(t, &fakeAWS{objects: map[string]string{
		"reports/spring-sale/report.json":  text(t, finished()),
		"reports/spring-sale/outcomes.csv": "seq,email\n1,ann@example.com\n",
		"reports/spring-sale/rejects.csv":  "line,email\n",
	}})
	file := filepath.Join(t.TempDir(), "outcomes.csv")
	got := fanmail(t, env, "report", "spring-sale", "--outcomes", file)
	if got.code != exitOK || !strings.Contains(got.stdout, "rejects         s3://bucket/reports/spring-sale/rejects.csv\n") || !strings.Contains(got.stdout, "outcomes        "+file) {
		t.Errorf("exit code %d:\n%s%s", got.code, got.stdout, got.stderr)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "seq,email\n1,ann@example.com\n" {
		t.Errorf("got %q, %v", b, err)
	}
	if got := fanmail(t, env, "report", "spring-sale", "--rejects", "-"); got.stdout != "line,email\n" {
		t.Errorf("got %q", got.stdout)
	}
	var r workflow.Report
	if err := json.Unmarshal([]byte(fanmail(t, env, "report", "spring-sale", "--json").stdout), &r); err != nil || r.Sent != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestReportThatIsMissing(t *testing.T) {
	env := newFakeAWS(t, &fakeAWS{objects: map[string]string{"reports/half/report.json": text(t, func() workflow.Report {
		r := finished()
		r.Campaign = "half"
		return r
	}())}, status: finished()})
	got := fanmail(t, env, "report", "spring-sale")
	wantLines(t, got.stderr, "spring-sale has no report yet: an execution writes it when it ends")
	dir := t.TempDir()
	got = fanmail(t, env, "report", "half", "--outcomes", filepath.Join(dir, "o.csv"))
	wantLines(t, got.stderr, "downloading s3://bucket/reports/spring-sale/outcomes.csv: no such object")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestReportOfAnUnknownCampaign(t *testing.T) {
	got := fanmail(t, newFakeAWS(t, &fakeAWS{unknown: true}), "report", "spring-sale")
	if got.stderr != "fanmail: there is no campaign spring-sale\n" || got.code != exitFailed {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}
