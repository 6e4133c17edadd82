package stepfunctions

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func campaign(t *testing.T) string {
	t.Helper()
	definition, err := os.ReadFile("../../statemachine/campaign.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(definition)
}

var campaignFunctions = map[string]string{"prepare": "prepare", "plan": "plan", "send": "send", "finish": "finish"}

func planAnswer(next, reason string, until time.Time) map[string]any {
	return map[string]any{
		"next": next, "reason": reason, "wave": 1, "maxConcurrency": 3, "until": until.UTC().Format(time.RFC3339Nano),
		"manifest": map[string]any{"bucket": "b", "key": "work/spring/wave-0001.jsonl"},
		"results":  map[string]any{"bucket": "b", "key": "work/spring/results/"},
	}
}

func TestTheCampaignSendsWaitsAndFinishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var plans, sends, throttles atomic.Int64
		store := bucket(map[string]string{"b/work/spring/wave-0001.jsonl": `{"number":1,"first":1,"last":10,"pending":10}
{"number":2,"first":11,"last":20,"pending":10}
{"number":3,"first":21,"last":30,"pending":10}
{"number":4,"first":31,"last":40,"pending":10}
`})
		calls := functions{
			"prepare": func(_ context.Context, in map[string]any) (any, error) {
				if in["input"].(map[string]any)["campaign"] != "spring" {
					t.Errorf("prepare got %v", in)
				}
				return map[string]any{
					"campaign": "spring", "execution": in["execution"], "content": map[string]any{"bucket": "b", "key": "c"},
					"recipients": 40, "rejected": 0, "plan": map[string]any{"wave": 0},
				}, nil
			},
			"plan": func(context.Context, map[string]any) (any, error) {
				switch plans.Add(1) {
				case 1:
					return planAnswer("send", "", time.Now().Add(time.Hour)), nil
				case 2:
					return planAnswer("wait", "", time.Now().Add(90*time.Minute)), nil
				}
				return planAnswer("finish", "sent", time.Now()), nil
			},
			"send": func(_ context.Context, in map[string]any) (any, error) {
				if throttles.Add(1) <= 2 {
					return nil, &functionError{"DatabaseBusy", "too many connections"}
				}
				first, _ := integer(in["batch"].(map[string]any)["first"])
				more := sends.Add(1) == 1
				return map[string]any{"more": more, "sent": first, "failed": 0}, nil
			},
			"finish": func(_ context.Context, in map[string]any) (any, error) {
				if in["reason"] != "sent" || in["error"] != nil {
					t.Errorf("finish got %v", in)
				}
				return map[string]any{"state": "finished", "sent": 40}, nil
			},
		}
		e := run(t, Config{Lambda: calls, S3: store, Functions: campaignFunctions}, campaign(t), `{"campaign":"spring"}`)
		ended(t, e, `{"sent":40,"state":"finished"}`)
		told(t, e, `
1<-0 ExecutionStarted
2<-0 PassStateEntered Begin
3<-2 PassStateExited Begin
4<-3 TaskStateEntered Prepare
5<-4 TaskScheduled
6<-5 TaskStarted
7<-6 TaskSucceeded
8<-7 TaskStateExited Prepare
9<-8 TaskStateEntered Plan
10<-9 TaskScheduled
11<-10 TaskStarted
12<-11 TaskSucceeded
13<-12 TaskStateExited Plan
14<-13 ChoiceStateEntered Next?
15<-14 ChoiceStateExited Next?
16<-15 MapStateEntered Send
17<-16 MapStateStarted
18<-17 MapRunStarted
19<-18 MapRunSucceeded
20<-19 MapStateSucceeded
21<-19 MapStateExited Send
22<-21 TaskStateEntered Plan
23<-22 TaskScheduled
24<-23 TaskStarted
25<-24 TaskSucceeded
26<-25 TaskStateExited Plan
27<-26 ChoiceStateEntered Next?
28<-27 ChoiceStateExited Next?
29<-28 WaitStateEntered WaitUntil
30<-29 WaitStateExited WaitUntil
31<-30 TaskStateEntered Plan
32<-31 TaskScheduled
33<-32 TaskStarted
34<-33 TaskSucceeded
35<-34 TaskStateExited Plan
36<-35 ChoiceStateEntered Next?
37<-36 ChoiceStateExited Next?
38<-37 TaskStateEntered Finish
39<-38 TaskScheduled
40<-39 TaskStarted
41<-40 TaskSucceeded
42<-41 TaskStateExited Finish
43<-42 SucceedStateEntered Done
44<-43 SucceedStateExited Done
45<-44 ExecutionSucceeded
`)
		if sends.Load() != 5 {
			t.Errorf("%d sends, want 4 batches and one that answered more", sends.Load())
		}
		if took := time.Since(began); took < 90*time.Minute || took > 92*time.Minute {
			t.Errorf("the campaign took %v, want the 90 minutes that Plan said to wait", took)
		}
		runs := e.service.runs
		if len(runs) != 1 {
			t.Fatalf("%d Map Runs", len(runs))
		}
		for _, r := range runs {
			if r.status != succeeded || r.counts[succeeded] != 4 || r.total != 4 {
				t.Errorf("the Map Run is %s with %v of %d", r.status, r.counts, r.total)
			}
			var manifest struct {
				ResultFiles map[string][]struct{ Key string }
			}
			store.get(t, "b/work/spring/results/"+r.id+"/manifest.json", &manifest)
			var results []struct{ Status, Output string }
			store.get(t, "b/"+manifest.ResultFiles["SUCCEEDED"][0].Key, &results)
			if len(results) != 4 || results[3].Output != `{"failed":0,"more":false,"sent":31}` {
				t.Errorf("the results are %v", results)
			}
		}
	})
}

func TestTheCampaignRecordsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var recorded map[string]any
		calls := functions{
			"prepare": func(_ context.Context, in map[string]any) (any, error) {
				return nil, &functionError{"InvalidCampaign", "campaign.yaml line 3: no such field"}
			},
			"finish": func(_ context.Context, in map[string]any) (any, error) {
				recorded = in
				return map[string]any{}, nil
			},
		}
		e := run(t, Config{Lambda: calls, Functions: campaignFunctions}, campaign(t), `{"campaign":"spring"}`)
		cause := `{"errorMessage":"campaign.yaml line 3: no such field","errorType":"InvalidCampaign"}`
		ended(t, e, "InvalidCampaign: "+cause)
		want := fmt.Sprint(map[string]any{
			"execution": e.arn(), "reason": "failed", "error": map[string]any{"Error": "InvalidCampaign", "Cause": cause},
		})
		if fmt.Sprint(recorded) != want {
			t.Errorf("finish got %v\nwant %v", recorded, want)
		}
		if !strings.HasSuffix(story(e), "15<-14 ChoiceStateExited Whose?\n16<-15 FailStateEntered Failed\n17<-16 ExecutionFailed InvalidCampaign\n") {
			t.Errorf("the history is\n%s", story(e))
		}
	})
}

func TestABusyCampaignIsNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := functions{"prepare": func(context.Context, map[string]any) (any, error) {
			return nil, &functionError{"CampaignBusy", "another execution sends it"}
		}}
		e := run(t, Config{Lambda: calls, Functions: campaignFunctions}, campaign(t), `{"campaign":"spring"}`)
		ended(t, e, `CampaignBusy: {"errorMessage":"another execution sends it","errorType":"CampaignBusy"}`)
	})
}

func TestATimeoutOfAFunctionCanBeReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := functions{
			"prepare": func(ctx context.Context, _ map[string]any) (any, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
			"finish": func(context.Context, map[string]any) (any, error) { return map[string]any{}, nil },
		}
		e := run(t, Config{Lambda: calls, Functions: campaignFunctions}, campaign(t), `{"campaign":"spring"}`)
		// AWS may refuse a Fail state that raises a name of its own.
		ended(t, e, `StepFunctionsFailed: {"Cause":"","Error":"States.Timeout"}`)
	})
}

func TestAnyInputReachesPrepareAndItsErrorTheEnd(t *testing.T) {
	for _, input := range []string{`"spring"`, `["spring"]`, `7`, `null`, `true`, `{}`} {
		t.Run(input, func(t *testing.T) {
			calls := functions{
				"prepare": func(_ context.Context, in map[string]any) (any, error) {
					if got := encode(in["input"]); got != input {
						t.Errorf("prepare got %s", got)
					}
					return nil, &functionError{"InvalidCampaign", "no campaign"}
				},
				"finish": func(context.Context, map[string]any) (any, error) { return map[string]any{}, nil },
			}
			e := run(t, Config{Lambda: calls, Functions: campaignFunctions}, campaign(t), input)
			ended(t, e, `InvalidCampaign: {"errorMessage":"no campaign","errorType":"InvalidCampaign"}`)
		})
	}
}
