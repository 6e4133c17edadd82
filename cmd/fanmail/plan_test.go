package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/dryrun"
	"fanmail/shared/workflow"
)

// sesAccount is what GetAccount answers.
func sesAccount(quota, used, rate float64, changes ...map[string]any) map[string]any {
	account := map[string]any{
		"EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": true, "SendingEnabled": true, "PricingAttributes": map[string]any{"CurrentPlan": "NONE"},
		"SendQuota": map[string]any{"Max24HourSend": quota, "SentLast24Hours": used, "MaxSendRate": rate},
	}
	for _, change := range changes {
		for key, value := range change {
			account[key] = value
		}
	}
	return account
}

var roomy = &workflow.Database{RoleLimit: 20, MaxConnections: 200, Reserved: 3, OthersConnections: 10}

// longList is a list of n recipients.
func longList(n int) string {
	var rows strings.Builder
	rows.WriteString("email,name,code\n")
	for i := range n {
		fmt.Fprintf(&rows, "%d@example.com,Ann,A1\n", i)
	}
	return rows.String()
}

func TestPlanOfflineSaysWhatIsAssumed(t *testing.T) {
	dir := write(t, map[string]string{"recipients.csv": longList(500) + "bad,Bob,1\n0@example.com,Ann,1\n"})
	got := fanmail(t, map[string]string{"AWS_REGION": "us-east-1"}, "plan", dir, "--offline", "--rate", "14", "--quota", "200", "--zone", "Asia/Seoul",
		"--at", "2099-01-01 09:00", "--max-connections", "60", "--pricing-plan", "NONE")
	const want = `campaign              spring-sale
recipients            500
rejected lines        2
  not an address      1, first: line 502
  duplicate           1, first: line 503
suppressed            not known
pace                  200 a day
quota                 200 recipients per 24 hours, of which 200 are left and other mail has used 0
begins                Thu 2099-01-01 09:00 KST
ends                  about Sat 2099-01-03 09:03 KST, after 2 days
waits                 2 days: the daily quota of the SES account is used up
days                  mail goes out on 3
  2099-01-01          200
  2099-01-02          200
  2099-01-03          100
waves                 3
batches               3
senders               1 sender: the rate needs 1, the deployment allows 10, the server 41
connections           11 at most, of a bound of 20; the server has 51 for Fanmail
execution             about 1,790 events, of 25,000 that it may have
cost                  about $0.07: an estimate by prices of 2026-11-26, without taxes, free tiers, the database and the network of a VPC
  Amazon SES          $0.05: 500 recipients at $0.10 per 1,000 (à la carte)
  AWS Lambda          under $0.01: 220 requests, 36 GB-seconds
  AWS Step Functions  $0.02: 600 state transitions
  Amazon SNS          under $0.01: 1,000 events, without opens and clicks
  Amazon SQS          under $0.01: 1,200 requests
  Amazon S3           under $0.01: 21 writes, 3 reads
  Amazon CloudWatch   under $0.01: 220,000 bytes of logs
note                  nobody was asked: the SES account is assumed to be out of the sandbox, and to have sent to 0 recipients in the last 24 hours
`
	if got.code != exitOK || got.stderr != "" || got.stdout != want {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s\nwant:\n%s", got.code, got.stderr, got.stdout, want)
	}
}

func TestPlanAsksTheDeploymentAndChangesNothing(t *testing.T) {
	aws := &fakeAWS{unknown: true, account: sesAccount(50_000, 48_000, 14), database: roomy, suppressed: []int{1}}
	got := fanmail(t, newFakeAWS(t, aws), "plan", write(t, nil), "--json")
	var r dryrun.Result
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.code != exitOK {
		t.Fatalf("exit code %d, %v: %s%s", got.code, err, got.stdout, got.stderr)
	}
	if r.Recipients != 2 || *r.Suppressed != 1 || r.Pending != 1 || r.Forecast.Sent != 1 || r.Quota.SentLast24Hours != 48_000 || *r.Allowed != 20 || r.Cost.Plan != "NONE" {
		t.Errorf("got %+v", r)
	}
	if len(aws.uploads) > 0 || aws.started != nil {
		t.Errorf("uploaded %q, started %v", aws.uploads, aws.started)
	}
}

func TestPlanNotesWhatAReaderShouldKnow(t *testing.T) {
	for name, c := range map[string]struct {
		aws  *fakeAWS
		args []string
		want string
	}{
		"sandbox":             {&fakeAWS{account: sesAccount(200, 0, 1, map[string]any{"ProductionAccessEnabled": false}), database: roomy, suppressed: []int{}}, nil, "the SES account is in the sandbox"},
		"no pricing plan":     {&fakeAWS{account: sesAccount(200, 0, 1, map[string]any{"PricingAttributes": nil}), database: roomy, suppressed: []int{}}, nil, "ESSENTIALS is assumed"},
		"an old control":      {&fakeAWS{account: sesAccount(200, 0, 1), suppressed: []int{}}, nil, "the server could not be asked"},
		"suppressed unknown":  {&fakeAWS{account: sesAccount(200, 0, 1), database: roomy}, nil, "it is not known who is suppressed"},
		"other senders":       {&fakeAWS{account: sesAccount(200, 0, 1), database: &workflow.Database{RoleLimit: 13, MaxConnections: 200}, suppressed: []int{}}, nil, "the deployment has 3 senders"},
		"other mail":          {&fakeAWS{account: sesAccount(200, 50, 1), database: roomy, suppressed: []int{}}, nil, "free evenly within 24 hours; no more is expected"},
		"other mail goes on":  {&fakeAWS{account: sesAccount(200, 50, 1), database: roomy, suppressed: []int{}}, []string{"--other-mail", "50"}, "50 a day more are expected"},
		"never":               {&fakeAWS{account: sesAccount(1, 0, 1), database: roomy, suppressed: []int{}}, []string{"--quota", "0"}, "nobody would be mailed as long"},
		"longer than a year":  {&fakeAWS{account: sesAccount(1, 0, 1), database: roomy, suppressed: []int{}}, nil, "longer than the year"},
		"too many events":     {&fakeAWS{account: sesAccount(10, 0, 1), database: roomy, suppressed: []int{}}, nil, "25,000 events: this one would fail"},
		"prices of elsewhere": {&fakeAWS{account: sesAccount(200, 0, 1), database: roomy, suppressed: []int{}}, nil, "those of us-east-1 stand in for those of eu-west-3: Amazon SES"},
	} {
		t.Run(name, func(t *testing.T) {
			c.aws.unknown = true
			env := newFakeAWS(t, c.aws)
			if strings.HasPrefix(name, "prices") {
				t.Setenv("AWS_REGION", "eu-west-3")
				env["AWS_REGION"] = "eu-west-3"
			}
			got := fanmail(t, env, append([]string{"plan", write(t, map[string]string{"recipients.csv": longList(400)})}, c.args...)...)
			if words := strings.Replace(got.stdout, "this SES", "the SES", 1); got.code != exitOK || !strings.Contains(words, c.want) {
				t.Errorf("exit code %d, %s%s\nwant %q", got.code, got.stdout, got.stderr, c.want)
			}
		})
	}
}

func TestPlanOfACampaignThatHasBegunForecastsTheRest(t *testing.T) {
	half := workflow.Report{State: "halted", Execution: fakeARN, RecipientsDigest: goodList, Recipients: 2, Sent: 1, Pending: 1}
	got := fanmail(t, newFakeAWS(t, &fakeAWS{status: half, account: sesAccount(200, 0, 1), database: roomy}), "plan", write(t, nil))
	if got.code != exitOK || !strings.Contains(got.stdout, "pending               1: the campaign has begun already\n") {
		t.Errorf("exit code %d, %s%s", got.code, got.stdout, got.stderr)
	}
}

// A plan that can't be made, or of a campaign that can't be sent, is one line each, and exit code 1 or 2.
func TestPlanRefusesInOneLineEach(t *testing.T) {
	good, bad := write(t, nil), write(t, map[string]string{"mail.txt": "{{.nope}}"})
	offline := []string{"--offline", "--rate", "14", "--quota", "50000"}
	const wayOut = "without the deployment, give `fanmail plan --offline --rate R --quota Q` what the SES account allows"
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"no argument":            {nil, exitUsage, []string{"0 arguments where one is wanted: fanmail plan DIR"}},
		"unknown zone":           {append([]string{good, "--zone", "Asia/Soul"}, offline...), exitUsage, []string{`--zone: "Asia/Soul" is no time zone: write its IANA name`}},
		"the machine's own zone": {append([]string{good, "--zone", "Local"}, offline...), exitUsage, []string{`--zone: "Local" is no time zone`}},
		"a time in the past":     {append([]string{good, "--at", "2020-01-01 09:00"}, offline...), exitUsage, []string{`--at "2020-01-01 09:00" is in the past: it is 20`}},
		"no time":                {append([]string{good, "--at", "tomorrow"}, offline...), exitUsage, []string{`--at "tomorrow": write the local time as '2026-12-01 09:00'`}},
		"no such local time": {append([]string{good, "--at", "2027-03-28 02:30", "--zone", "Europe/Berlin"}, offline...), exitUsage,
			[]string{"2027-03-28 02:30 in Europe/Berlin: there is no such local time"}},
		"offline without a rate": {[]string{good, "--offline", "--quota", "1"}, exitUsage, []string{"--offline needs --rate and --quota"}},
		"all mistakes together": {[]string{good, "--offline", "--rate", "-1", "--senders", "0", "--pricing-plan", "gold", "--zone", "x"}, exitUsage,
			[]string{`--rate is -1: it must be 0.01 or more; --senders is 0: it must be 1 or more; --pricing-plan is "gold": it must be NONE, ESSENTIALS, PRO or ENTERPRISE; --offline needs --rate and --quota: the SES console shows both; --zone: "x" is no time zone`}},
		"not a number":                    {[]string{good, "--offline", "--rate", "NaN", "--quota", "+Inf"}, exitUsage, []string{"--rate is NaN: it must be 0.01 or more; --quota is +Inf: "}},
		"a bad folder":                    {append([]string{bad}, offline...), exitFailed, []string{"mail.txt:1: "}},
		"no folder":                       {append([]string{good + "s"}, offline...), exitFailed, []string{good + "s: no such folder"}},
		"no deployment, and a bad folder": {[]string{bad}, exitFailed, []string{"mail.txt:1: ", "looking for the stack of Fanmail: ", wayOut}},
		"never a connection":              {append([]string{good, "--max-connections", "12"}, offline...), exitFailed, []string{"spring-sale would not be sent: no sender: of 12 connections"}},
	} {
		t.Run(name, func(t *testing.T) {
			setAWS(t, "http://127.0.0.1:1")
			got := fanmail(t, nil, append([]string{"plan"}, c.args...)...)
			wantLines(t, got.stderr, c.want...)
			if got.code != c.code {
				t.Errorf("exit code %d", got.code)
			}
		})
	}
}

func TestPlanOfAnAccountThatCannotSendSaysSo(t *testing.T) {
	paused := sesAccount(200, 0, 1, map[string]any{"SendingEnabled": false})
	got := fanmail(t, newFakeAWS(t, &fakeAWS{unknown: true, account: paused, database: roomy, suppressed: []int{}}), "plan", write(t, nil))
	wantLines(t, got.stderr, "spring-sale would not be sent: sending is paused for this SES account: ")
	if got.code != exitFailed || !strings.Contains(got.stdout, "recipients            2\n") {
		t.Errorf("exit code %d, %s", got.code, got.stdout)
	}
}

func TestPlanWithoutPermissionNamesTheWayOut(t *testing.T) {
	got := fanmail(t, newFakeAWS(t, &fakeAWS{unknown: true}), "plan", write(t, nil))
	wantLines(t, got.stderr, "asking for the SES account: ", "without the deployment, give `fanmail plan --offline")
	if got.code != exitFailed || got.stdout != "" {
		t.Errorf("exit code %d, %s", got.code, got.stdout)
	}
}
