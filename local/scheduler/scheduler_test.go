package scheduler

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsscheduler "github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"fanmail/local/clock"
)

const (
	group   = "fanmail-test"
	account = "000000000000"
	machine = "arn:aws:states:us-east-1:000000000000:stateMachine:campaign"
)

// world is a Scheduler over HTTP between the SDK's client and stand-ins of Step Functions and SQS.
type world struct {
	t       *testing.T
	config  Config
	service *Service
	client  *awsscheduler.Client
	server  *httptest.Server

	mu sync.Mutex
	// started are the bodies of StartExecution, dead those of SendMessage.
	started, dead []map[string]any
	// refuse answers StartExecution with an error's status and code, as long as it is set.
	refuse func() (status int, code string)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	w.server = httptest.NewServer(w)
	t.Cleanup(w.server.Close)
	c := aws.Config{
		Region: "us-east-1", BaseEndpoint: &w.server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	w.client = awsscheduler.NewFromConfig(c)
	w.config = Config{
		File: filepath.Join(t.TempDir(), "scheduler.json"), Group: group, Region: "us-east-1", Account: account, Endpoint: w.server.URL,
		Executions: sfn.NewFromConfig(c), Queues: sqs.NewFromConfig(c), Clock: new(clock.Clock),
	}
	w.open()
	w.service.Begin()
	return w
}

func (w *world) open() {
	w.t.Helper()
	service, err := New(w.config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.service = service
	w.mu.Unlock()
	w.t.Cleanup(func() { service.Close() })
}

func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	var body map[string]any
	switch r.Header.Get("X-Amz-Target") {
	case "AWSStepFunctions.StartExecution":
		json.NewDecoder(r.Body).Decode(&body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.started = append(w.started, body)
		if w.refuse != nil {
			if status, code := w.refuse(); status != 0 {
				out.WriteHeader(status)
				fmt.Fprintf(out, `{"__type": %q, "message": "refused by the test"}`, code)
				return
			}
		}
		io.WriteString(out, `{"executionArn": "arn", "startDate": 1}`)
	case "AmazonSQS.SendMessage":
		json.NewDecoder(r.Body).Decode(&body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.dead = append(w.dead, body)
		io.WriteString(out, `{"MessageId": "1"}`)
	default:
		w.mu.Lock()
		service := w.service
		w.mu.Unlock()
		service.ServeHTTP(out, r)
	}
}

// create makes a schedule; change changes the request first.
func (w *world) create(name, expression string, change ...func(*awsscheduler.CreateScheduleInput)) error {
	in := &awsscheduler.CreateScheduleInput{
		Name: &name, GroupName: aws.String(group), ScheduleExpression: &expression, FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		ActionAfterCompletion: types.ActionAfterCompletionDelete,
		Target: &types.Target{
			Arn: aws.String(universalTarget), RoleArn: aws.String("arn:aws:iam::000000000000:role/test"),
			Input:            aws.String(`{"StateMachineArn": "` + machine + `", "Name": "` + name + `-1", "Input": "{\"at\": \"<aws.scheduler.scheduled-time>\"}"}`),
			RetryPolicy:      &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(3600)},
			DeadLetterConfig: &types.DeadLetterConfig{Arn: aws.String("arn:aws:sqs:us-east-1:000000000000:Dead")},
		},
	}
	for _, c := range change {
		c(in)
	}
	_, err := w.client.CreateSchedule(w.t.Context(), in)
	return err
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) advance(d time.Duration) { w.must(w.config.Clock.Advance(d, nil)) }

// await polls what the loop brings about.
func (w *world) await(what string, condition func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *world) counts() (started, dead int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.started), len(w.dead)
}

func (w *world) names() string {
	w.t.Helper()
	out, err := w.client.ListSchedules(w.t.Context(), &awsscheduler.ListSchedulesInput{GroupName: aws.String(group)})
	w.must(err)
	var names []string
	for _, s := range out.Schedules {
		names = append(names, *s.Name)
	}
	return strings.Join(names, " ")
}

// in is an at() so long after now, in UTC.
func (w *world) in(d time.Duration) string {
	return w.config.Clock.Now().UTC().Add(d).Format("at(2006-01-02T15:04:05)")
}

func (w *world) attribute(i int, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	value, _ := w.dead[i]["MessageAttributes"].(map[string]any)[name].(map[string]any)
	text, _ := value["StringValue"].(string)
	return text
}

func TestAOneTimeScheduleStartsOnceAndIsGone(t *testing.T) {
	w := newWorld(t)
	expression := w.in(time.Hour)
	w.must(w.create("spring", expression))
	if w.names() != "spring" {
		t.Fatal(w.names())
	}
	w.advance(time.Hour - time.Minute)
	w.advance(2 * time.Minute)
	w.await("the schedule to be gone", func() bool { return w.names() == "" })
	want := strings.TrimSuffix(strings.TrimPrefix(expression, "at("), ")") + "Z"
	if started, dead := w.counts(); started != 1 || dead != 0 || w.started[0]["name"] != "spring-1" || w.started[0]["stateMachineArn"] != machine ||
		w.started[0]["input"] != `{"at": "`+want+`"}` {
		t.Errorf("%v, dead %v; want one start with the time %s", w.started, w.dead, want)
	}
}

func TestADeletedScheduleNeverStarts(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("spring", w.in(time.Hour)))
	w.must(w.create("summer", w.in(2*time.Hour)))
	_, err := w.client.DeleteSchedule(t.Context(), &awsscheduler.DeleteScheduleInput{Name: aws.String("spring"), GroupName: aws.String(group)})
	w.must(err)
	w.advance(3 * time.Hour)
	w.await("the other to be gone", func() bool { return w.names() == "" })
	if started, _ := w.counts(); started != 1 || w.started[0]["name"] != "summer-1" {
		t.Errorf("%v", w.started)
	}
	_, err = w.client.DeleteSchedule(t.Context(), &awsscheduler.DeleteScheduleInput{Name: aws.String("spring"), GroupName: aws.String(group)})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("deleted again: %v", err)
	}
}

func TestALeapOfTheClockStartsWhatFellDueInIt(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("daily", "rate(1 day)", func(in *awsscheduler.CreateScheduleInput) {
		in.StartDate = aws.Time(w.config.Clock.Now().Add(time.Hour))
	}))
	w.must(w.create("hourly", "rate(1 minute)", func(in *awsscheduler.CreateScheduleInput) {
		in.StartDate, in.EndDate = aws.Time(w.config.Clock.Now().Add(time.Hour)), aws.Time(w.config.Clock.Now().Add(10*time.Hour))
	}))
	w.advance(49*time.Hour + time.Minute)
	w.await("three days, and the last hundred minutes of the other", func() bool { started, _ := w.counts(); return started == 3+mostAtOnce })
	w.await("the one with an end to be gone", func() bool { return w.names() == "daily" })
	if _, dead := w.counts(); dead != 0 {
		t.Errorf("dead letters: %v", w.dead)
	}
}

func TestWhatIsLateBeyondItsAgeIsADeadLetter(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("late", w.in(time.Hour)))
	w.must(w.create("in-time", w.in(3*time.Hour)))
	w.must(w.service.Close())
	// The machine was away for four hours.
	w.advance(3*time.Hour + 59*time.Minute)
	w.open()
	w.service.Begin()
	w.await("both to be gone", func() bool { return w.names() == "" })
	if started, dead := w.counts(); started != 1 || dead != 1 || w.started[0]["name"] != "in-time-1" {
		t.Fatalf("started %v, dead %v", w.started, w.dead)
	}
	for name, want := range map[string]string{
		"EXHAUSTED_RETRY_CONDITION": "MaximumEventAgeInSeconds", "RETRY_ATTEMPTS": "0", "TARGET_ARN": universalTarget,
		"SCHEDULE_ARN": "arn:aws:scheduler:us-east-1:000000000000:schedule/fanmail-test/late",
	} {
		if got := w.attribute(0, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if body := w.dead[0]["MessageBody"].(string); !strings.Contains(body, `"late-1"`) || w.dead[0]["QueueUrl"] != w.server.URL+"/000000000000/Dead" {
		t.Errorf("the dead letter is %v", w.dead[0])
	}
}

func TestARefusedStartIsTriedAgainAsTheRetryPolicySays(t *testing.T) {
	for _, test := range []struct {
		name, code         string
		status             int
		refusals, attempts int32
		starts             int
		condition          string
	}{
		{"it passes", "InternalServerError", 500, 2, 5, 3, ""},
		{"throttled", "ThrottlingException", 400, 2, 5, 3, ""},
		{"too often", "InternalServerError", 500, 100, 2, 3, "MaximumRetryAttempts"},
		{"never again", "InternalServerError", 500, 100, 0, 1, "MaximumRetryAttempts"},
		{"it will not pass", "AccessDeniedException", 400, 100, 5, 1, "none"},
		{"started before", "ExecutionAlreadyExists", 400, 100, 5, 1, "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			left := test.refusals
			w.refuse = func() (int, string) {
				if left--; left < 0 {
					return 0, ""
				}
				return test.status, test.code
			}
			w.must(w.create("spring", w.in(time.Hour), func(in *awsscheduler.CreateScheduleInput) {
				in.Target.RetryPolicy.MaximumRetryAttempts = &test.attempts
			}))
			w.advance(time.Hour)
			w.await("the schedule to be gone", func() bool {
				w.must(w.config.Clock.Advance(5*time.Second, nil))
				return w.names() == ""
			})
			started, dead := w.counts()
			if started != test.starts || (test.condition != "") != (dead == 1) {
				t.Fatalf("%d starts, want %d; dead %v", started, test.starts, w.dead)
			}
			if dead == 0 {
				return
			}
			condition := w.attribute(0, "EXHAUSTED_RETRY_CONDITION")
			if condition == "" {
				condition = "none"
			}
			if condition != test.condition || w.attribute(0, "ERROR_CODE") != test.code {
				t.Errorf("the condition is %s, want %s; the code %s", condition, test.condition, w.attribute(0, "ERROR_CODE"))
			}
		})
	}
}

func TestRetriesEndAtTheMaximumAge(t *testing.T) {
	w := newWorld(t)
	w.refuse = func() (int, string) { return 500, "InternalServerError" }
	w.must(w.create("spring", w.in(time.Hour)))
	w.advance(time.Hour)
	w.await("the first attempt", func() bool { started, _ := w.counts(); return started > 0 })
	w.advance(2 * time.Hour)
	w.await("the dead letter", func() bool { _, dead := w.counts(); return dead == 1 })
	if condition := w.attribute(0, "EXHAUSTED_RETRY_CONDITION"); condition != "MaximumEventAgeInSeconds" || w.attribute(0, "RETRY_ATTEMPTS") == "0" {
		t.Errorf("%s after %s", condition, w.attribute(0, "RETRY_ATTEMPTS"))
	}
}

func TestSchedulesAndTheirAttemptsOutliveTheProcess(t *testing.T) {
	w := newWorld(t)
	w.refuse = func() (int, string) { return 500, "InternalServerError" }
	w.must(w.create("spring", w.in(time.Hour)))
	w.must(w.create("summer", w.in(24*time.Hour)))
	w.advance(time.Hour)
	w.await("an attempt", func() bool { started, _ := w.counts(); return started > 0 })
	w.must(w.service.Close())
	w.mu.Lock()
	w.refuse, w.started = nil, nil
	w.mu.Unlock()
	w.advance(10 * time.Minute)
	w.open()
	w.service.Begin()
	w.await("the schedule that was due to be gone", func() bool { return w.names() == "summer" })
	if started, dead := w.counts(); started != 1 || dead != 0 {
		t.Errorf("%v, dead %v", w.started, w.dead)
	}
}

func TestADeliveryIsMadeTwiceOnDemand(t *testing.T) {
	w := newWorld(t)
	w.must(w.service.Close())
	w.config.Twice = func(name string, _ time.Time) bool { return name == "spring" }
	w.open()
	w.service.Begin()
	w.must(w.create("spring", w.in(time.Hour)))
	w.must(w.create("summer", w.in(time.Hour)))
	w.advance(time.Hour)
	w.await("both to be gone", func() bool { return w.names() == "" })
	if started, _ := w.counts(); started != 3 {
		t.Errorf("%d starts, want 3", started)
	}
}

func TestAScheduleIsShownAsItWasMade(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("weekly", "cron(0 9 ? * MON *)", func(in *awsscheduler.CreateScheduleInput) {
		in.ScheduleExpressionTimezone, in.Description, in.ActionAfterCompletion = aws.String("Asia/Seoul"), aws.String("{}"), ""
	}))
	got, err := w.client.GetSchedule(t.Context(), &awsscheduler.GetScheduleInput{Name: aws.String("weekly"), GroupName: aws.String(group)})
	w.must(err)
	if *got.ScheduleExpression != "cron(0 9 ? * MON *)" || *got.ScheduleExpressionTimezone != "Asia/Seoul" || *got.Description != "{}" || got.State != types.ScheduleStateEnabled ||
		got.ActionAfterCompletion != types.ActionAfterCompletionNone || *got.Target.RetryPolicy.MaximumEventAgeInSeconds != 3600 || *got.Target.RetryPolicy.MaximumRetryAttempts != 185 ||
		time.Since(*got.CreationDate) > time.Minute || *got.GroupName != group {
		t.Errorf("%+v", got)
	}
	for i := range 7 {
		w.must(w.create(fmt.Sprintf("a-%d", i), "rate(1 day)"))
	}
	pages := awsscheduler.NewListSchedulesPaginator(w.client, &awsscheduler.ListSchedulesInput{GroupName: aws.String(group), NamePrefix: aws.String("a-"), MaxResults: aws.Int32(3)})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		w.must(err)
		for _, s := range page.Schedules {
			names = append(names, *s.Name)
		}
	}
	if strings.Join(names, " ") != "a-0 a-1 a-2 a-3 a-4 a-5 a-6" {
		t.Errorf("listed %v", names)
	}
}

func TestWhatIsWrongOrNotKnownIsRefusedByName(t *testing.T) {
	w := newWorld(t)
	w.must(w.create("taken", "rate(1 day)"))
	type input = awsscheduler.CreateScheduleInput
	for _, test := range []struct {
		name, expression string
		change           func(*input)
		code, want       string
	}{
		{"taken", "rate(1 day)", nil, "ConflictException", "Schedule taken already exists."},
		{"a b", "rate(1 day)", nil, "ValidationException", "at 'name'"},
		{"group", "rate(1 day)", func(in *input) { in.GroupName = aws.String("other") }, "ResourceNotFoundException", "Schedule group other does not exist."},
		{"group", "rate(1 day)", func(in *input) { in.GroupName = nil }, "ResourceNotFoundException", "Schedule group default does not exist."},
		{"past", "at(2020-01-01T09:00:00)", nil, "ValidationException", "is past"},
		{"cron", "cron(0 9 * * * *)", nil, "ValidationException", "Invalid Schedule Expression cron(0 9 * * * *)."},
		{"zone", "rate(1 day)", func(in *input) { in.ScheduleExpressionTimezone = aws.String("Mars/Olympus") }, "ValidationException", "Invalid Time Zone Mars/Olympus."},
		{"no-such-time", "at(2099-03-29T02:30:00)", func(in *input) { in.ScheduleExpressionTimezone = aws.String("Europe/Berlin") }, "ValidationException", "no such local time"},
		{"flexible", "rate(1 day)", func(in *input) { in.FlexibleTimeWindow.Mode = types.FlexibleTimeWindowModeFlexible }, "ValidationException", "FlexibleTimeWindow"},
		{"disabled", "rate(1 day)", func(in *input) { in.State = types.ScheduleStateDisabled }, "ValidationException", "no State DISABLED"},
		{"key", "rate(1 day)", func(in *input) { in.KmsKeyArn = aws.String("arn:aws:kms:us-east-1:000000000000:key/1") }, "ValidationException", `"KmsKeyArn"`},
		{"target", "rate(1 day)", func(in *input) { in.Target.Arn = aws.String(machine) }, "ValidationException", "only the target " + universalTarget},
		{"input", "rate(1 day)", func(in *input) { in.Target.Input = aws.String("{") }, "ValidationException", "no StartExecution"},
		{"input", "rate(1 day)", func(in *input) { in.Target.Input = aws.String(`{"StateMachineArn": "a", "TraceHeader": "b"}`) }, "ValidationException", `"TraceHeader"`},
		{"input", "rate(1 day)", func(in *input) { in.Target.Input = aws.String(`{"StateMachineArn": "<aws.scheduler.time>"}`) }, "ValidationException", "no context attribute <aws.scheduler.time>"},
		{"role", "rate(1 day)", func(in *input) { in.Target.RoleArn = aws.String("role") }, "ValidationException", "target.roleArn"},
		{"queue", "rate(1 day)", func(in *input) {
			in.Target.DeadLetterConfig.Arn = aws.String("arn:aws:sqs:us-east-1:000000000000:q.fifo")
		}, "ValidationException", "target.deadLetterConfig.arn"},
		{"age", "rate(1 day)", func(in *input) { in.Target.RetryPolicy.MaximumEventAgeInSeconds = aws.Int32(59) }, "ValidationException", "60 to 86400"},
		{"retries", "rate(1 day)", func(in *input) { in.Target.RetryPolicy.MaximumRetryAttempts = aws.Int32(186) }, "ValidationException", "0 to 185"},
		{"description", "rate(1 day)", func(in *input) { in.Description = aws.String(strings.Repeat("d", 513)) }, "ValidationException", "'description'"},
	} {
		change := test.change
		if change == nil {
			change = func(*input) {}
		}
		err := w.create(test.name, test.expression, change)
		if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != test.code || !strings.Contains(api.ErrorMessage(), test.want) {
			t.Errorf("%s: %v, want %s with %q", test.name, err, test.code, test.want)
		}
	}
	_, err := w.client.UpdateSchedule(t.Context(), &awsscheduler.UpdateScheduleInput{
		Name: aws.String("taken"), ScheduleExpression: aws.String("rate(1 day)"), FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target: &types.Target{Arn: aws.String("a"), RoleArn: aws.String("b")},
	})
	if err == nil || !strings.Contains(err.Error(), "it does not have PUT /schedules/taken") {
		t.Errorf("UpdateSchedule: %v", err)
	}
	if w.names() != "taken" {
		t.Errorf("there are %s", w.names())
	}
	token := func(in *input) { in.ClientToken = aws.String("once") }
	w.must(w.create("again", "rate(1 day)", token))
	if err := w.create("again", "rate(1 day)", token); err != nil {
		t.Errorf("the same request again: %v", err)
	}
}
