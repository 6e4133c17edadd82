package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
)

const taskWith = `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
	"Parameters":{"FunctionName":"f","Payload":{"retry.$":"$$.State.RetryCount"}},"OutputPath":"$.Payload",%s,"Next":"Done"},
	"Done":{"Type":"Succeed"},"Caught":{"Type":"Pass","End":true}}}`

// failing fails with each error in turn, then answers the number of calls.
func failing(errs ...error) functions {
	calls := 0
	return functions{"f": func(context.Context, map[string]any) (any, error) {
		calls++
		if calls <= len(errs) {
			return nil, errs[calls-1]
		}
		return int64(calls), nil
	}}
}

func TestRetryAndCatchFollowTheirRules(t *testing.T) {
	busy := &functionError{"Busy", "b"}
	other := &functionError{"Other", "o"}
	throttle := &smithy.GenericAPIError{Code: "TooManyRequestsException", Message: "Rate Exceeded."}
	large := functions{"f": func(context.Context, map[string]any) (any, error) { return strings.Repeat("x", maxPayloadBytes), nil }}
	slow := functions{"f": func(ctx context.Context, _ map[string]any) (any, error) { <-ctx.Done(); return nil, ctx.Err() }}
	const tooLargeCause = "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit."
	tests := map[string]struct {
		fields string
		calls  functions
		want   string
		took   time.Duration
	}{
		"defaults: three retries at 1, 2, 4 s": {`"Retry":[{"ErrorEquals":["Busy"]}]`, failing(busy, busy, busy), `4`, 7 * time.Second},
		"attempts used up":                     {`"Retry":[{"ErrorEquals":["Busy"],"MaxAttempts":1}]`, failing(busy, busy), `Busy: {"errorMessage":"b","errorType":"Busy"}`, time.Second},
		"no attempts":                          {`"Retry":[{"ErrorEquals":["Busy"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}]`, failing(busy), `Busy: {"errorMessage":"b","errorType":"Busy"}`, 0},
		"each retrier counts by itself":        {`"Retry":[{"ErrorEquals":["Busy"],"MaxAttempts":1,"IntervalSeconds":3},{"ErrorEquals":["Other"],"MaxAttempts":1,"IntervalSeconds":5}]`, failing(busy, other), `3`, 8 * time.Second},
		"delays are capped":                    {`"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":4,"BackoffRate":3,"MaxDelaySeconds":5}]`, failing(busy, busy, busy), `4`, 14 * time.Second},
		"States.TaskFailed":                    {`"Retry":[{"ErrorEquals":["States.TaskFailed"],"BackoffRate":1}]`, failing(busy, other), `3`, 2 * time.Second},
		"States.TaskFailed is no timeout":      {`"TimeoutSeconds":9,"Retry":[{"ErrorEquals":["States.TaskFailed"]}]`, slow, `States.Timeout: `, 9 * time.Second},
		"States.Timeout is retried":            {`"TimeoutSeconds":9,"Retry":[{"ErrorEquals":["States.Timeout"],"MaxAttempts":1}]`, slow, `States.Timeout: `, 19 * time.Second},
		"a timeout is caught":                  {`"TimeoutSeconds":9,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`, slow, `{"Cause":"","Error":"States.Timeout"}`, 9 * time.Second},
		"a throttle":                           {`"Retry":[{"ErrorEquals":["Lambda.TooManyRequestsException"]}]`, failing(throttle), `2`, time.Second},
		"a lost connection":                    {`"Retry":[{"ErrorEquals":["Lambda.SdkClientException"]}]`, failing(errors.New("connection reset")), `2`, time.Second},
		"Catch after Retry":                    {`"Retry":[{"ErrorEquals":["Busy"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["Busy"],"ResultPath":"$.e","Next":"Caught"}]`, failing(busy, busy), `{"e":{"Cause":"{\"errorMessage\":\"b\",\"errorType\":\"Busy\"}","Error":"Busy"}}`, time.Second},
		"Catch does not match":                 {`"Catch":[{"ErrorEquals":["Other"],"Next":"Caught"}]`, failing(busy), `Busy: {"errorMessage":"b","errorType":"Busy"}`, 0},
		"too large an answer":                  {`"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`, large, `States.DataLimitExceeded: ` + tooLargeCause, 0},
		"too large, by name":                   {`"Catch":[{"ErrorEquals":["States.DataLimitExceeded"],"Next":"Caught"}]`, large, `{"Cause":"` + tooLargeCause + `","Error":"States.DataLimitExceeded"}`, 0},
		"States.Runtime is never caught":       {`"ResultPath":"$.r","ResultSelector":{"x.$":"$.Payload.nothing"},"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`, failing(), "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				e := run(t, Config{Lambda: test.calls}, fmt.Sprintf(taskWith, test.fields), `{}`)
				if test.want == "" {
					if f := e.snapshot().failure; f == nil || f.name != errRuntime {
						t.Errorf("got %v, want States.Runtime", f)
					}
				} else {
					ended(t, e, test.want)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
			})
		})
	}
}

func TestARetryIsToldAsAWSTellsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		retries := []any{}
		calls := functions{"f": func(_ context.Context, in map[string]any) (any, error) {
			retries = append(retries, in["retry"])
			if len(retries) < 3 {
				return nil, &functionError{"Busy", "b"}
			}
			return "ok", nil
		}}
		e := run(t, Config{Lambda: calls}, fmt.Sprintf(taskWith, `"TimeoutSeconds":30,"Retry":[{"ErrorEquals":["Busy"],"JitterStrategy":"FULL"}]`), `{}`)
		told(t, e, `
1<-0 ExecutionStarted
2<-0 TaskStateEntered S
3<-2 TaskScheduled
4<-3 TaskStarted
5<-4 TaskFailed Busy
6<-5 TaskScheduled
7<-6 TaskStarted
8<-7 TaskFailed Busy
9<-8 TaskScheduled
10<-9 TaskStarted
11<-10 TaskSucceeded
12<-11 TaskStateExited S
13<-12 SucceedStateEntered Done
14<-13 SucceedStateExited Done
15<-14 ExecutionSucceeded
`)
		if fmt.Sprint(retries) != "[0 1 2]" {
			t.Errorf("$$.State.RetryCount was %v", retries)
		}
	})
}

func TestDelaysGrowAreCappedAndJittered(t *testing.T) {
	r := retrier{interval: 2 * time.Second, backoff: 2, maxDelay: 60 * time.Second}
	for n, want := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
		if got := r.delay(n, 0.5); got != want*time.Second {
			t.Errorf("delay %d is %v, want %v", n, got, want*time.Second)
		}
	}
	r.jitter = true
	if got := r.delay(3, 0.25); got != 4*time.Second {
		t.Errorf("the jittered delay is %v, want a quarter of 16 s", got)
	}
	if got := (retrier{interval: time.Second, backoff: 10}).delay(500, 1); got != maxDelaySeconds*time.Second {
		t.Errorf("an uncapped delay is %v", got)
	}
}

func TestWaitStates(t *testing.T) {
	tests := map[string]struct {
		fields string
		took   time.Duration
		want   string
	}{
		"Seconds":             {`"Seconds":5`, 5 * time.Second, ""},
		"SecondsPath":         {`"SecondsPath":"$.s"`, 7 * time.Second, ""},
		"Timestamp":           {`"Timestamp":"2000-01-01T00:00:09Z"`, 9 * time.Second, ""},
		"TimestampPath":       {`"TimestampPath":"$.t"`, 11 * time.Second, ""},
		"past":                {`"TimestampPath":"$.past"`, 0, ""},
		"TimestampPath bad":   {`"TimestampPath":"$.s"`, 0, errRuntime},
		"SecondsPath nowhere": {`"SecondsPath":"$.x"`, 0, errRuntime},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				e := run(t, Config{}, oneState(`"Type":"Wait","End":true,`+test.fields), `{"s":7,"t":"2000-01-01T01:00:11.000+01:00","past":"1999-01-01T00:00:00Z"}`)
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if f := e.snapshot().failure; (f == nil) != (test.want == "") || f != nil && f.name != test.want {
					t.Errorf("it ended with %v, want %q", f, test.want)
				}
			})
		})
	}
}

func TestAnExecutionTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := run(t, Config{}, `{"TimeoutSeconds":10,"StartAt":"S","States":{"S":{"Type":"Wait","Seconds":60,"End":true}}}`, `{}`)
		if shown := e.snapshot(); shown.status != timedOut || shown.failure != nil {
			t.Errorf("it ended %s with %v", shown.status, shown.failure)
		}
		told(t, e, `
1<-0 ExecutionStarted
2<-0 WaitStateEntered S
3<-0 ExecutionTimedOut
`)
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	e := run(t, Config{}, oneState(`"Type":"Pass","Next":"S"`), `{}`)
	events := e.events()
	if len(events) != maxHistoryEvents || events[maxHistoryEvents-1].kind != executionFailed {
		t.Errorf("%d events, the last one is %s", len(events), events[len(events)-1].kind)
	}
	ended(t, e, "States.Runtime: The execution reached the maximum number of history events (25000).")
}

func TestPayloadsAreBounded(t *testing.T) {
	big := strings.Repeat("x", 150_000)
	e := run(t, Config{}, oneState(`"Type":"Pass","Parameters":{"a.$":"$.x","b.$":"$.x"},"End":true`), `{"x":"`+big+`"}`)
	if f := e.snapshot().failure; f == nil || f.name != errDataLimitExceeded {
		t.Errorf("a state's output above 256 KiB ended with %v", f)
	}
	e = run(t, Config{Lambda: failing()}, oneState(okTask[:len(okTask)-len(`"Parameters":{"FunctionName":"f"},"End":true`)]+
		`"Parameters":{"FunctionName":"f","Payload":{"a.$":"$.x","b.$":"$.x"}},"End":true`), `{"x":"`+big+`"}`)
	if f := e.snapshot().failure; f == nil || f.name != errDataLimitExceeded {
		t.Errorf("a task's input above 256 KiB ended with %v", f)
	}
}
