package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanmail/local/s3"
	"fanmail/local/stack"
)

// schedulerAWS is fakeAWS with a bucket of files, and a Scheduler that answers as the test says.
type schedulerAWS struct {
	fakeAWS
	directory string
	bucket    http.Handler
	// create and list answer CreateSchedule and ListSchedules, got GetSchedule; a string is the code of an error.
	create, list, got any
	created           map[string]any
	// lost makes CreateSchedule break the connection; then answers ListSchedules from there on.
	lost bool
	then any
}

func newSchedulerAWS(t *testing.T, a *schedulerAWS) map[string]string {
	t.Helper()
	a.directory, a.unknown = t.TempDir(), true
	var err error
	if a.bucket, err = s3.New(s3.Config{Directory: a.directory, Buckets: []string{"bucket"}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	env := setAWS(t, server.URL)
	env["FANMAIL_SCHEDULE_GROUP"], env["FANMAIL_SCHEDULE_ROLE_ARN"] = "fanmail-test", "arn:aws:iam::000000000000:role/schedules"
	env["FANMAIL_SCHEDULE_DEAD_LETTER_QUEUE_URL"] = "https://sqs.us-east-1.amazonaws.com/123456789012/starts"
	return env
}

func (a *schedulerAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var out any
	switch {
	case r.URL.Path == "/schedules":
		out = a.list
	case strings.HasPrefix(r.URL.Path, "/schedules/") && r.Method == http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		json.Unmarshal(body, &a.created)
		out = a.create
		if a.lost {
			a.list = a.then
			panic(http.ErrAbortHandler)
		}
	case strings.HasPrefix(r.URL.Path, "/schedules/"):
		out = a.got
	case strings.HasPrefix(r.URL.Path, "/bucket"):
		a.bucket.ServeHTTP(w, r)
		return
	default:
		a.fakeAWS.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if code, failed := out.(string); failed {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(http.StatusForbidden)
		out = map[string]string{"Message": "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: scheduler:CreateSchedule"}
	}
	json.NewEncoder(w).Encode(out)
}

// objects are the files that lie in the bucket.
func (a *schedulerAWS) objects(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(a.directory, "buckets"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.Contains(path, "recipients") {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var noSchedules = map[string]any{"Schedules": []any{}}

// tomorrow is a time that no test outlives.
func tomorrow() string { return time.Now().Add(24 * time.Hour).UTC().Format("2006-01-02 15:04") }

func TestAScheduleIsMadeAsSchedulerWantsIt(t *testing.T) {
	a := &schedulerAWS{list: noSchedules, create: map[string]string{"ScheduleArn": "arn"}}
	env := newSchedulerAWS(t, a)
	got := fanmail(t, env, "start", write(t, nil), "--at", tomorrow(), "--zone", "UTC", "--max-delay", "30m", "--json")
	if got.code != exitOK {
		t.Fatalf("%+v", got)
	}
	target, _ := a.created["Target"].(map[string]any)
	var start map[string]string
	var input map[string]string
	if err := json.Unmarshal([]byte(target["Input"].(string)), &start); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(start["Input"]), &input); err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"the target":          {target["Arn"], "arn:aws:scheduler:::aws-sdk:sfn:startExecution"},
		"the role":            {target["RoleArn"], "arn:aws:iam::000000000000:role/schedules"},
		"the queue":           {fmt.Sprint(target["DeadLetterConfig"]), "map[Arn:arn:aws:sqs:us-east-1:123456789012:starts]"},
		"the age":             {fmt.Sprint(target["RetryPolicy"]), "map[MaximumEventAgeInSeconds:1800]"},
		"the group":           {a.created["GroupName"], "fanmail-test"},
		"what becomes of it":  {a.created["ActionAfterCompletion"], "DELETE"},
		"the window":          {fmt.Sprint(a.created["FlexibleTimeWindow"]), "map[Mode:OFF]"},
		"the zone":            {a.created["ScheduleExpressionTimezone"], "UTC"},
		"the state machine":   {start["StateMachineArn"], env["FANMAIL_STATE_MACHINE_ARN"]},
		"the campaign":        {input["campaign"], "spring-sale"},
		"that there is token": {a.created["ClientToken"] != nil, true},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if !strings.HasPrefix(input["folder"], "frozen/spring-sale/20") || len(start["Name"]) != len("spring-sale-20261201-abcdef") || len(a.objects(t)) != 1 {
		t.Errorf("the folder is %s, the execution %s, the bucket has %v", input["folder"], start["Name"], a.objects(t))
	}
	var shown shown
	if err := json.Unmarshal([]byte(got.stdout), &shown); err != nil || shown.Checked == nil || shown.Checked.Recipients != 2 || len(shown.Checked.Digest) != 64 || shown.Next == nil {
		t.Errorf("%s: %v", got.stdout, err)
	}

	got = fanmail(t, env, "start", write(t, nil), "--cron", "0 9 ? * MON *", "--zone", "Asia/Seoul", "--json")
	target, _ = a.created["Target"].(map[string]any)
	// Scheduler finds its attribute only if no JSON escapes it.
	if text := target["Input"].(string); got.code != exitOK || !strings.Contains(text, "<aws.scheduler.scheduled-time>") || strings.Contains(text, `"Name"`) {
		t.Errorf("%+v\n%s", got, text)
	}
}

func TestWithoutPermissionNothingIsLeft(t *testing.T) {
	const denied = "AccessDeniedException: User: arn:aws:iam::123456789012:user/ann is not authorized to perform: scheduler:CreateSchedule"
	for _, test := range []struct {
		name string
		aws  *schedulerAWS
		want string
	}{
		{"to make a schedule", &schedulerAWS{list: noSchedules, create: "AccessDeniedException"}, "scheduling spring-sale: " + denied},
		{"to list schedules", &schedulerAWS{list: "AccessDeniedException"}, "listing the schedules of fanmail-test: " + denied},
		{"because somebody was faster", &schedulerAWS{list: noSchedules, create: "ConflictException"}, "spring-sale is scheduled already: `fanmail schedule show spring-sale`"},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := newSchedulerAWS(t, test.aws)
			got := fanmail(t, env, "start", write(t, nil), "--at", tomorrow(), "--zone", "UTC")
			if got.code != exitFailed || got.stdout != "" || strings.Count(got.stderr, "fanmail: ") != 1 || !strings.Contains(got.stderr, "fanmail: "+test.want) {
				t.Errorf("%+v, want %s", got, test.want)
			}
			if left := test.aws.objects(t); len(left) > 0 {
				t.Errorf("left in the bucket: %v", left)
			}
		})
	}
}

// TestAScheduleWhoseAnswerIsLostKeepsItsFolder has Scheduler make the schedule, or not, and fail to say which.
func TestAScheduleWhoseAnswerIsLostKeepsItsFolder(t *testing.T) {
	made := map[string]any{"Schedules": []any{map[string]any{"Name": "spring-sale"}}}
	for _, test := range []struct {
		name string
		then any
		kept bool
	}{{"it was made", made, true}, {"it was not made", noSchedules, false}, {"nobody can tell", "AccessDeniedException", true}} {
		t.Run(test.name, func(t *testing.T) {
			a := &schedulerAWS{list: noSchedules, lost: true, then: test.then}
			got := fanmail(t, newSchedulerAWS(t, a), "start", write(t, nil), "--at", tomorrow(), "--zone", "UTC")
			advised := strings.Contains(got.stderr, "spring-sale may be scheduled all the same: `fanmail schedule show spring-sale` tells")
			if got.code != exitFailed || advised != test.kept || (len(a.objects(t)) > 0) != test.kept {
				t.Errorf("%+v, in the bucket %v", got, a.objects(t))
			}
		})
	}
}

func TestAStackWithoutThePartsOfSchedulesIsNamed(t *testing.T) {
	env := newSchedulerAWS(t, &schedulerAWS{fakeAWS: fakeAWS{stack: stack.New(stack.Config{
		Region: "us-east-1", Account: "000000000000", Name: "fanmail-old",
		Outputs: []stack.Output{{Key: "StateMachineArn", Value: "x"}, {Key: "ControlFunction", Value: "x"}},
	})}})
	delete(env, "FANMAIL_SCHEDULE_GROUP")
	delete(env, "FANMAIL_SCHEDULE_ROLE_ARN")
	for _, args := range [][]string{{"schedule", "list"}, {"schedule", "cancel", "spring-sale"}, {"start", write(t, nil), "--at", tomorrow(), "--zone", "UTC"}} {
		got := fanmail(t, env, args...)
		var lines []string
		for line := range strings.Lines(got.stderr) {
			if strings.HasPrefix(line, "fanmail: ") {
				lines = append(lines, line)
			}
		}
		wantLines(t, strings.Join(lines, ""), "the stack fanmail-old has no output ScheduleGroup ", "the stack fanmail-old has no output ScheduleRoleArn ")
	}
	env = newSchedulerAWS(t, &schedulerAWS{list: noSchedules})
	env["FANMAIL_SCHEDULE_DEAD_LETTER_QUEUE_URL"] = "starts"
	got := fanmail(t, env, "start", write(t, nil), "--at", tomorrow(), "--zone", "UTC")
	if got.code != exitFailed || !strings.Contains(got.stderr, `FANMAIL_SCHEDULE_DEAD_LETTER_QUEUE_URL is "starts", which is no URL of a queue`) {
		t.Errorf("%+v", got)
	}
}

func TestAScheduleOfSomebodyElseIsShownButNotStarted(t *testing.T) {
	a := &schedulerAWS{
		list: map[string]any{"Schedules": []any{map[string]any{"Name": "nightly"}}},
		got: map[string]any{
			"Name": "nightly", "ScheduleExpression": "rate(1 day)", "CreationDate": 1.5,
			"Target": map[string]string{"Arn": "arn:aws:lambda:us-east-1:123456789012:function:nightly", "RoleArn": "role"},
		},
	}
	env := newSchedulerAWS(t, a)
	if got := fanmail(t, env, "schedule", "list"); got.code != exitOK || !strings.HasPrefix(got.stdout, "nightly  ") || !strings.Contains(got.stdout, "not made by fanmail: its target is not") {
		t.Errorf("%+v", got)
	}
	got := fanmail(t, env, "schedule", "now", "nightly")
	wantLines(t, got.stderr, "the schedule nightly was not made by `fanmail start`: its target is not arn:aws:scheduler:::aws-sdk:sfn:startExecution")
	if a.started != nil {
		t.Errorf("started %v", a.started)
	}
}
