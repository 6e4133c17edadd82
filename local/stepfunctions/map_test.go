package stepfunctions

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// mapOf is a definition of a Map over $.items whose children call f with {"index", "value"}.
func mapOf(fields string) string {
	return `{"StartAt":"M","States":{"M":{"Type":"Map","Label":"L","ItemSelector":{"index.$":"$$.Map.Item.Index","value.$":"$$.Map.Item.Value"},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"T","States":{
			"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},"OutputPath":"$.Payload","End":true}}},
		` + fields + `"End":true}}}`
}

const fromS3 = `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{%s},"Parameters":{"Bucket":"b","Key.$":"$.key"}},`

// echo answers what it gets; it fails where value is "bad".
func echo(_ context.Context, in map[string]any) (any, error) {
	if in["value"] == "bad" {
		return nil, &functionError{"Bad", "no good"}
	}
	return in, nil
}

func onlyRun(t *testing.T, s *Service) *mapRun {
	t.Helper()
	if len(s.runs) != 1 {
		t.Fatalf("%d Map Runs, want one", len(s.runs))
	}
	for _, r := range s.runs {
		return r
	}
	return nil
}

func TestAMapReadsItsItems(t *testing.T) {
	both := `[{"index":0,"value":{"n":1}},{"index":1,"value":{"n":2}}]`
	tests := map[string]struct{ fields, object, input, want string }{
		"from the input":    {`"ItemsPath":"$.l",`, ``, `{"l":[{"n":1},{"n":2}]}`, both},
		"the input itself":  {``, ``, `[{"n":1},{"n":2}]`, both},
		"no items":          {``, ``, `[]`, `[]`},
		"no array":          {`"ItemsPath":"$.l",`, ``, `{"l":3}`, `States.Runtime: An error occurred while executing the state 'M' (entered at the event id #2). Reference path "$.l" must point to array.`},
		"JSONL":             {fmt.Sprintf(fromS3, `"InputType":"JSONL"`), "{\"n\":1}\r\n\n{\"n\":2}", `{"key":"k"}`, both},
		"JSONL, broken":     {fmt.Sprintf(fromS3, `"InputType":"JSONL"`), "{\"n\":1}\n{\"n\":", `{"key":"k"}`, `States.ItemReaderFailed: Reading s3://b/k: line 2 is no JSON`},
		"JSON":              {fmt.Sprintf(fromS3, `"InputType":"JSON"`), `[{"n":1}, {"n":2}]`, `{"key":"k"}`, both},
		"JSON, MaxItems":    {fmt.Sprintf(fromS3, `"InputType":"JSON","MaxItems":1`), `[{"n":1}, {"n":2}]`, `{"key":"k"}`, `[{"index":0,"value":{"n":1}}]`},
		"JSON, no array":    {fmt.Sprintf(fromS3, `"InputType":"JSON"`), `{"n":1}`, `{"key":"k"}`, `States.ItemReaderFailed: Attempting to map over non-iterable node.`},
		"CSV":               {fmt.Sprintf(fromS3, `"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"`), "\ufeffa,b\n1,\"x,y\"\n2\n", `{"key":"k"}`, `[{"index":0,"value":{"a":"1","b":"x,y"}},{"index":1,"value":{"a":"2","b":""}}]`},
		"CSV, headers":      {fmt.Sprintf(fromS3, `"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["n"],"CSVDelimiter":"PIPE"`), "1|2\n", `{"key":"k"}`, `[{"index":0,"value":{"n":"1"}}]`},
		"no such object":    {fmt.Sprintf(fromS3, `"InputType":"JSONL"`), ``, `{"key":"other"}`, `States.ItemReaderFailed: Reading s3://b/other: NoSuchKey: The specified key does not exist.`},
		"key is no string":  {fmt.Sprintf(fromS3, `"InputType":"JSONL"`), ``, `{"key":3}`, `States.Runtime: An error occurred while executing the state 'M' (entered at the event id #2). Bucket and Key of the ItemReader must be strings, but they are {"Bucket":"b","Key":3}`},
		"an outcome caught": {fmt.Sprintf(fromS3, `"InputType":"JSONL"`) + `"Catch":[{"ErrorEquals":["States.ItemReaderFailed"],"Next":"M2"}],`, `x`, `{"key":"k"}`, `{"Cause":"Reading s3://b/k: line 1 is no JSON","Error":"States.ItemReaderFailed"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			definition := strings.TrimSuffix(mapOf(test.fields), "}}") + `,"M2":{"Type":"Succeed"}}}`
			e := run(t, Config{Lambda: functions{"f": echo}, S3: bucket(map[string]string{"b/k": test.object})}, definition, test.input)
			ended(t, e, test.want)
		})
	}
}

func TestAMapToleratesFailures(t *testing.T) {
	const exceeded = "States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded"
	tests := map[string]struct{ fields, input, want string }{
		"none":                    {``, `["a","bad"]`, exceeded},
		"count held":              {`"ToleratedFailureCount":1,`, `["a","bad"]`, ""},
		"count exceeded":          {`"ToleratedFailureCount":1,`, `["bad","bad"]`, exceeded},
		"count 0":                 {`"ToleratedFailureCount":0,`, `["bad"]`, exceeded},
		"percentage held":         {`"ToleratedFailurePercentage":50,`, `["a","bad"]`, ""},
		"percentage exceeded":     {`"ToleratedFailurePercentage":49.9,`, `["a","bad"]`, exceeded},
		"all":                     {`"ToleratedFailurePercentage":100,`, `["bad","bad"]`, ""},
		"either exceeded":         {`"ToleratedFailurePercentage":100,"ToleratedFailureCount":1,`, `["bad","bad"]`, exceeded},
		"percentage from a path":  {`"ItemsPath":"$.l","ToleratedFailurePercentagePath":"$.p",`, `{"p":10,"l":["bad"]}`, exceeded},
		"concurrency from a path": {`"ItemsPath":"$.l","MaxConcurrencyPath":"$.c",`, `{"c":1,"l":["a"]}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := run(t, Config{Lambda: functions{"f": echo}}, mapOf(test.fields), test.input)
			shown := e.snapshot()
			if test.want != "" {
				ended(t, e, test.want)
				if !strings.HasSuffix(story(e), "3<-2 MapStateStarted\n4<-3 MapRunStarted\n5<-4 MapRunFailed States.ExceedToleratedFailureThreshold\n"+
					"6<-5 MapStateFailed\n7<-6 ExecutionFailed States.ExceedToleratedFailureThreshold\n") {
					t.Errorf("the history is\n%s", story(e))
				}
			} else if shown.status != succeeded {
				t.Errorf("it ended %s with %v", shown.status, shown.failure)
			}
		})
	}
}

func TestAFailedRunWritesItsResultsAndAbortsTheRest(t *testing.T) {
	store := bucket(map[string]string{})
	waiting := make(chan struct{})
	calls := functions{"f": func(ctx context.Context, in map[string]any) (any, error) {
		switch in["value"] {
		case "slow":
			close(waiting)
			<-ctx.Done()
			return nil, ctx.Err()
		case "bad":
			<-waiting
		}
		return echo(ctx, in)
	}}
	s, m := machineOf(t, Config{Lambda: calls, S3: store}, mapOf(`"MaxConcurrency":2,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"out","Prefix":"p"}},`))
	e := begin(t, s, m, `["a","slow","bad","never"]`)
	s.working.Wait()
	ended(t, e, "States.ExceedToleratedFailureThreshold: The specified tolerated failure threshold was exceeded")
	r := onlyRun(t, s)
	if got := fmt.Sprintf("%v %d %d %s", r.counts, r.total, r.written, r.status); got != "map[ABORTED:1 FAILED:1 SUCCEEDED:1] 4 3 FAILED" {
		t.Errorf("the run ended with %s", got)
	}
	var manifest struct {
		DestinationBucket, MapRunArn string
		ResultFiles                  map[string][]struct {
			Key  string
			Size int
		}
	}
	store.get(t, "out/p/"+r.id+"/manifest.json", &manifest)
	if manifest.DestinationBucket != "out" || manifest.MapRunArn != r.arn() || len(manifest.ResultFiles["PENDING"]) != 0 {
		t.Errorf("the manifest is %+v", manifest)
	}
	var results []struct{ Name, Input, Status, Error, Cause string }
	store.get(t, "out/"+manifest.ResultFiles["FAILED"][0].Key, &results)
	if len(results) != 2 || results[0].Status != "ABORTED" || results[1].Error != "Bad" || results[1].Input != `{"index":2,"value":"bad"}` {
		t.Errorf("the failed ones are %+v", results)
	}
}

func TestMaxConcurrencyIsNeverExceededAndChangesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		calls := functions{"f": func(ctx context.Context, in map[string]any) (any, error) {
			n := now.Add(1)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return "ok", nil
		}}
		items := `[` + strings.TrimSuffix(strings.Repeat(`1,`, 100), ",") + `]`
		s, m := machineOf(t, Config{Lambda: calls}, mapOf(`"MaxConcurrency":3,`))
		e := begin(t, s, m, items)
		time.Sleep(10500 * time.Millisecond)
		if got := most.Load(); got != 3 {
			t.Errorf("%d children at a time, want 3", got)
		}
		seven := int64(7)
		if _, err := s.updateMapRun(updateRequest{mapRunRequest: mapRunRequest{onlyRun(t, s).arn()}, MaxConcurrency: &seven}); err != nil {
			t.Fatal(err)
		}
		s.working.Wait()
		if got := most.Load(); got != 7 {
			t.Errorf("%d children at a time after the change, want 7", got)
		}
		if took := time.Since(e.start); took < 20*time.Second || took > 22*time.Second {
			t.Errorf("100 children took %v, want 33 by 3 and the rest by 7", took)
		}
	})
}

func TestStoppingAbortsTheMapRunAndItsChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		s, m := machineOf(t, Config{Lambda: functions{"f": func(ctx context.Context, _ map[string]any) (any, error) {
			if calls.Add(1) <= 2 {
				return "ok", nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}}, mapOf(`"MaxConcurrency":2,`))
		e := begin(t, s, m, `[1,2,3,4,5,6]`)
		synctest.Wait()
		if !e.end(stopped, "", &failure{"Mine", "enough"}) {
			t.Error("the execution had ended before")
		}
		r := onlyRun(t, s)
		if got := fmt.Sprintf("%v %s %d", r.counts, r.status, len(r.active)); got != "map[ABORTED:2 SUCCEEDED:2] ABORTED 0" {
			t.Errorf("at once the run is %s", got)
		}
		s.working.Wait()
		if calls.Load() != 4 || len(r.children) != 4 {
			t.Errorf("%d calls and %d children, want no new ones after the stop", calls.Load(), len(r.children))
		}
		told(t, e, `
1<-0 ExecutionStarted
2<-0 MapStateEntered M
3<-2 MapStateStarted
4<-3 MapRunStarted
5<-4 MapRunAborted
6<-0 ExecutionAborted Mine
`)
		told(t, r.children[3], `
1<-0 ExecutionStarted
2<-0 TaskStateEntered T
3<-2 TaskScheduled
4<-3 TaskStarted
5<-0 ExecutionAborted
`)
	})
}

func TestAnExecutionTimeoutAbortsTheChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := machineOf(t, Config{Lambda: functions{"f": func(ctx context.Context, _ map[string]any) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}}, strings.Replace(mapOf(``), `{"StartAt":"M"`, `{"TimeoutSeconds":5,"StartAt":"M"`, 1))
		e := begin(t, s, m, `[1,2]`)
		s.working.Wait()
		if e.currentStatus() != timedOut || onlyRun(t, s).children[1].currentStatus() != stopped || onlyRun(t, s).status != stopped {
			t.Errorf("the execution is %s, the child %s, the run %s", e.currentStatus(), onlyRun(t, s).children[1].currentStatus(), onlyRun(t, s).status)
		}
	})
}

func TestManyChildrenStayCheap(t *testing.T) {
	const n = 300
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"number":%d,"first":%d,"last":%d,"pending":50}`+"\n", i, i*50+1, i*50+50)
	}
	store := bucket(map[string]string{"b/k": lines.String()})
	s, m := machineOf(t, Config{Lambda: functions{"f": echo}, S3: store}, mapOf(fmt.Sprintf(fromS3, `"InputType":"JSONL"`)+
		`"MaxConcurrency":40,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},`))
	e := begin(t, s, m, `{"key":"k"}`)
	s.working.Wait()
	r := onlyRun(t, s)
	if e.currentStatus() != succeeded || r.counts[succeeded] != n {
		t.Fatalf("%s with %v", e.currentStatus(), r.counts)
	}
	bytes := 0
	for _, child := range r.children {
		bytes += len(child.history.packed)
	}
	if average := bytes / n; average > 600 {
		t.Errorf("the history of a child takes %d bytes", average)
	}
	told(t, r.children[n-1], `
1<-0 ExecutionStarted
2<-0 TaskStateEntered T
3<-2 TaskScheduled
4<-3 TaskStarted
5<-4 TaskSucceeded
6<-5 TaskStateExited T
7<-6 ExecutionSucceeded
`)
	if shown := r.children[n-1].snapshot(); !strings.Contains(shown.input, `"number":299`) || shown.input != shown.output {
		t.Errorf("the last child shows input %s and output %s", shown.input, shown.output)
	}
}

func TestTheOldestChildrenAreForgottenFirst(t *testing.T) {
	s, m := machineOf(t, Config{Lambda: functions{"f": echo}}, mapOf(``))
	s.keep = 5
	var children [][]*execution
	for range 3 {
		e := begin(t, s, m, `["a","b"]`)
		s.working.Wait()
		for _, r := range s.runs {
			if r.parent == e {
				children = append(children, r.children)
			}
		}
	}
	for i, known := range []bool{false, true, true} {
		if len(children[i]) != 2 {
			t.Fatalf("run %d had %d children", i, len(children[i]))
		}
		if _, err := s.execution(children[i][0].arn()); (err == nil) != known {
			t.Errorf("a child of run %d answers %v", i, err)
		}
	}
}

func TestCloseAbortsWhatRuns(t *testing.T) {
	g := newGate()
	s, m := machineOf(t, Config{Lambda: functions{"f": g.call}}, mapOf(``))
	e := begin(t, s, m, `[1,2]`)
	<-g.called
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if e.currentStatus() != stopped || onlyRun(t, s).status != stopped {
		t.Errorf("the execution is %s, its run %s", e.currentStatus(), onlyRun(t, s).status)
	}
	if _, _, err := s.startExecution(m, "late", `[]`, []any{}); err == nil {
		t.Error("an execution started after Close")
	}
}

func BenchmarkChildren(b *testing.B) {
	var lines strings.Builder
	for i := range b.N {
		fmt.Fprintf(&lines, `{"number":%d,"first":%d,"last":%d,"pending":50}`+"\n", i, i*50+1, i*50+50)
	}
	s := New(Config{Lambda: functions{"f": echo}, S3: bucket(map[string]string{"b/k": lines.String()})})
	defer s.Close()
	arn, err := s.CreateStateMachine("machine", []byte(mapOf(fmt.Sprintf(fromS3, `"InputType":"JSONL"`)+
		`"MaxConcurrency":40,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"}},`)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	if _, _, err := s.startExecution(s.machines[arn], "run", `{"key":"k"}`, map[string]any{"key": "k"}); err != nil {
		b.Fatal(err)
	}
	s.working.Wait()
}
