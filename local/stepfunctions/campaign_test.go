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
2<-0 TaskStateEntered Prepare
3<-2 TaskScheduled
4<-3 TaskStarted
5<-4 TaskSucceeded
6<-5 TaskStateExited Prepare
7<-6 TaskStateEntered Plan
8<-7 TaskScheduled
9<-8 TaskStarted
10<-9 TaskSucceeded
11<-10 TaskStateExited Plan
12<-11 ChoiceStateEntered Next?
13<-12 ChoiceStateExited Next?
14<-13 MapStateEntered Send
15<-14 MapStateStarted
16<-15 MapRunStarted
17<-16 MapRunSucceeded
18<-17 MapStateSucceeded
19<-17 MapStateExited Send
20<-19 TaskStateEntered Plan
21<-20 TaskScheduled
22<-21 TaskStarted
23<-22 TaskSucceeded
24<-23 TaskStateExited Plan
25<-24 ChoiceStateEntered Next?
26<-25 ChoiceStateExited Next?
27<-26 WaitStateEntered WaitUntil
28<-27 WaitStateExited WaitUntil
29<-28 TaskStateEntered Plan
30<-29 TaskScheduled
31<-30 TaskStarted
32<-31 TaskSucceeded
33<-32 TaskStateExited Plan
34<-33 ChoiceStateEntered Next?
35<-34 ChoiceStateExited Next?
36<-35 TaskStateEntered Finish
37<-36 TaskScheduled
38<-37 TaskStarted
39<-38 TaskSucceeded
40<-39 TaskStateExited Finish
41<-40 SucceedStateEntered Done
42<-41 SucceedStateExited Done
43<-42 ExecutionSucceeded
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
		if !strings.HasSuffix(story(e), "12<-11 FailStateEntered Failed\n13<-12 ExecutionFailed InvalidCampaign\n") {
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
		// Cause is "" and not missing, else CausePath of the Fail state would lead nowhere.
		ended(t, e, "States.Timeout: ")
	})
}
