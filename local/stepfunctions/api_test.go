package stepfunctions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"
)

var dummy = credentials.NewStaticCredentialsProvider("local", "local", "")

// clientOf serves a service over HTTP and gives a real client of it.
func clientOf(t *testing.T, s *Service) *sfn.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return sfn.New(sfn.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: dummy, RetryMaxAttempts: 1})
}

// gate is a function that says when it was called and waits to be let go.
type gate struct{ called, release chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}, 100), make(chan struct{})} }

func (g *gate) call(ctx context.Context, in map[string]any) (any, error) {
	g.called <- struct{}{}
	select {
	case <-g.release:
		return in, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestAnExecutionThroughTheAPI(t *testing.T) {
	g := newGate()
	s, m := machineOf(t, Config{Lambda: functions{"f": g.call}}, mapOf(`"MaxConcurrency":2,"ToleratedFailurePercentage":50,`))
	c, ctx := clientOf(t, s), t.Context()

	started, err := c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Name: aws.String("spring"), Input: aws.String(`["a", "b", "c"]`)})
	if err != nil {
		t.Fatal(err)
	}
	if *started.ExecutionArn != "arn:aws:states:us-east-1:000000000000:execution:machine:spring" {
		t.Errorf("the ARN is %s", *started.ExecutionArn)
	}
	<-g.called
	<-g.called
	again, err := c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Name: aws.String("spring"), Input: aws.String(`["a", "b", "c"]`)})
	if err != nil || *again.ExecutionArn != *started.ExecutionArn || !again.StartDate.Equal(*started.StartDate) {
		t.Errorf("the same start again answers %v, %v", again, err)
	}
	var exists *types.ExecutionAlreadyExists
	if _, err := c.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &m.arn, Name: aws.String("spring"), Input: aws.String(`[]`)}); !errors.As(err, &exists) {
		t.Errorf("another input under the same name answers %v", err)
	}

	described, err := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
	if err != nil || described.Status != types.ExecutionStatusRunning || described.StopDate != nil || *described.Input != `["a", "b", "c"]` {
		t.Errorf("describing answers %+v, %v", described, err)
	}
	runs, err := c.ListMapRuns(ctx, &sfn.ListMapRunsInput{ExecutionArn: started.ExecutionArn})
	if err != nil || len(runs.MapRuns) != 1 || !strings.HasPrefix(*runs.MapRuns[0].MapRunArn, "arn:aws:states:us-east-1:000000000000:mapRun:machine/L:") {
		t.Fatalf("listing Map Runs answers %+v, %v", runs, err)
	}
	runARN := runs.MapRuns[0].MapRunArn
	run, err := c.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: runARN})
	if err != nil || run.Status != types.MapRunStatusRunning || run.MaxConcurrency != 2 || run.ToleratedFailurePercentage != 50 ||
		run.ItemCounts.Total != 3 || run.ItemCounts.Running != 2 || run.ItemCounts.Pending != 1 || run.ExecutionCounts.Running != 2 {
		t.Errorf("describing the Map Run answers %+v, %v", run, err)
	}
	if _, err := c.UpdateMapRun(ctx, &sfn.UpdateMapRunInput{MapRunArn: runARN, MaxConcurrency: aws.Int32(0)}); err != nil {
		t.Error(err)
	}
	<-g.called
	close(g.release)
	s.working.Wait()

	described, err = c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
	if err != nil || described.Status != types.ExecutionStatusSucceeded || described.StopDate.Before(*described.StartDate) ||
		*described.Output != `[{"index":0,"value":"a"},{"index":1,"value":"b"},{"index":2,"value":"c"}]` {
		t.Errorf("describing the end answers %+v, %v", described, err)
	}
	run, err = c.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: runARN})
	if err != nil || run.Status != types.MapRunStatusSucceeded || run.ItemCounts.Succeeded != 3 || run.ItemCounts.ResultsWritten != 3 || run.StopDate == nil {
		t.Errorf("describing the Map Run's end answers %+v, %v", run, err)
	}
	var refused *types.ValidationException
	if _, err := c.UpdateMapRun(ctx, &sfn.UpdateMapRunInput{MapRunArn: runARN, MaxConcurrency: aws.Int32(1)}); !errors.As(err, &refused) || refused.Reason != types.ValidationExceptionReasonCannotUpdateCompletedMapRun {
		t.Errorf("updating an ended Map Run answers %v", err)
	}

	top, err := c.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &m.arn})
	if err != nil || len(top.Executions) != 1 {
		t.Errorf("listing shows %+v, %v; want no children", top, err)
	}
	children, err := c.ListExecutions(ctx, &sfn.ListExecutionsInput{MapRunArn: runARN, StatusFilter: types.ExecutionStatusSucceeded})
	if err != nil || len(children.Executions) != 3 || *children.Executions[0].ItemCount != 1 || *children.Executions[0].MapRunArn != *runARN {
		t.Fatalf("listing the children shows %+v, %v", children, err)
	}
	child, err := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: children.Executions[0].ExecutionArn})
	if err != nil || *child.Input != `{"index":2,"value":"c"}` || *child.Output != *child.Input || *child.MapRunArn != *runARN ||
		*child.StateMachineArn != m.arn+"/L" || !strings.HasPrefix(*child.ExecutionArn, "arn:aws:states:us-east-1:000000000000:execution:machine/L:") {
		t.Errorf("describing a child answers %+v, %v", child, err)
	}
	of, err := c.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: child.ExecutionArn})
	if err != nil || *of.Label != "L" || !strings.Contains(*of.Definition, `"StartAt":"T"`) {
		t.Errorf("the child's state machine is %+v, %v", of, err)
	}
}

func TestTheHistoryThroughTheAPI(t *testing.T) {
	s, m := machineOf(t, Config{Lambda: functions{"f": echo}}, fmt.Sprintf(taskWith, `"TimeoutSeconds":30`))
	c, ctx := clientOf(t, s), t.Context()
	e := begin(t, s, m, `{"x":1}`)
	s.working.Wait()
	arn := aws.String(e.arn())

	var events []types.HistoryEvent
	pages := sfn.NewGetExecutionHistoryPaginator(c, &sfn.GetExecutionHistoryInput{ExecutionArn: arn, MaxResults: 4})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Events) > 4 {
			t.Errorf("a page of %d events", len(page.Events))
		}
		events = append(events, page.Events...)
	}
	if len(events) != 9 {
		t.Fatalf("%d events, want 9", len(events))
	}
	for i, ev := range events {
		if ev.Id != int64(i+1) || ev.Timestamp.IsZero() {
			t.Errorf("event %d has id %d and time %v", i+1, ev.Id, ev.Timestamp)
		}
	}
	if d := events[0].ExecutionStartedEventDetails; *d.Input != `{"x":1}` || d.RoleArn == nil || d.InputDetails.Truncated {
		t.Errorf("ExecutionStarted holds %+v", d)
	}
	if d := events[1].StateEnteredEventDetails; events[1].PreviousEventId != 0 || *d.Name != "S" || *d.Input != `{"x":1}` {
		t.Errorf("TaskStateEntered holds %+v after %d", d, events[1].PreviousEventId)
	}
	if d := events[2].TaskScheduledEventDetails; *d.Parameters != `{"FunctionName":"f","Payload":{"retry":0}}` || *d.Region != "us-east-1" ||
		*d.Resource != "invoke" || *d.ResourceType != "lambda" || *d.TimeoutInSeconds != 30 {
		t.Errorf("TaskScheduled holds %+v", d)
	}
	if d := events[4].TaskSucceededEventDetails; !strings.Contains(*d.Output, `"Payload":{"retry":0}`) {
		t.Errorf("TaskSucceeded holds %+v", d)
	}
	if d := events[8].ExecutionSucceededEventDetails; *d.Output != `{"retry":0}` {
		t.Errorf("ExecutionSucceeded holds %+v", d)
	}

	reverse, err := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: arn, ReverseOrder: true, MaxResults: 8, IncludeExecutionData: aws.Bool(false)})
	if err != nil || reverse.Events[0].Id != 9 || reverse.Events[7].Id != 2 || reverse.Events[0].ExecutionSucceededEventDetails.Output != nil {
		t.Fatalf("the reverse order answers %+v, %v", reverse, err)
	}
	rest, err := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: arn, ReverseOrder: true, NextToken: reverse.NextToken})
	if err != nil || len(rest.Events) != 1 || rest.Events[0].Id != 1 || rest.NextToken != nil {
		t.Errorf("its second page answers %+v, %v", rest, err)
	}
}

func TestStoppingThroughTheAPI(t *testing.T) {
	g := newGate()
	s, m := machineOf(t, Config{Lambda: functions{"f": g.call}}, fmt.Sprintf(taskWith, `"TimeoutSeconds":30`))
	c, ctx := clientOf(t, s), t.Context()
	arn := aws.String(begin(t, s, m, `{}`).arn())
	<-g.called
	out, err := c.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: arn, Error: aws.String("Enough"), Cause: aws.String("changed my mind")})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.StopExecution(ctx, &sfn.StopExecutionInput{ExecutionArn: arn})
	if err != nil || !again.StopDate.Equal(*out.StopDate) {
		t.Errorf("stopping twice answers %+v, %v", again, err)
	}
	e, err := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: arn})
	if err != nil || e.Status != types.ExecutionStatusAborted || *e.Error != "Enough" || *e.Cause != "changed my mind" {
		t.Errorf("describing answers %+v, %v", e, err)
	}
}

func TestListsComeInPages(t *testing.T) {
	s, m := machineOf(t, Config{}, oneState(`"Type":"Succeed"`))
	c := clientOf(t, s)
	for range 5 {
		begin(t, s, m, `{}`)
	}
	var names []string
	pages := sfn.NewListExecutionsPaginator(c, &sfn.ListExecutionsInput{StateMachineArn: &m.arn, MaxResults: 2})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Executions {
			names = append(names, *e.Name)
		}
		// One that starts meanwhile is newer than the page, and must neither repeat nor hide another.
		begin(t, s, m, `{}`)
	}
	if got := strings.Join(names, " "); got != "run-5 run-4 run-3 run-2 run-1" {
		t.Errorf("the pages show %s", got)
	}
	machines, err := c.ListStateMachines(t.Context(), &sfn.ListStateMachinesInput{})
	if err != nil || len(machines.StateMachines) != 1 || *machines.StateMachines[0].StateMachineArn != m.arn {
		t.Errorf("listing state machines shows %+v, %v", machines, err)
	}
	shown, err := c.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &m.arn})
	if err != nil || shown.Type != types.StateMachineTypeStandard || *shown.Definition != `{"StartAt":"S","States":{"S":{"Type":"Succeed"}}}` {
		t.Errorf("describing the state machine shows %+v, %v", shown, err)
	}
}

func TestBadRequestsGetTheErrorsOfTheAPI(t *testing.T) {
	s, m := machineOf(t, Config{}, oneState(`"Type":"Succeed"`))
	c, ctx := clientOf(t, s), t.Context()
	start := func(in sfn.StartExecutionInput) error {
		if in.StateMachineArn == nil {
			in.StateMachineArn = &m.arn
		}
		_, err := c.StartExecution(ctx, &in)
		return err
	}
	execution := aws.String("arn:aws:states:us-east-1:000000000000:execution:machine:nobody")
	describe := func(arn string) error {
		_, err := c.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
		return err
	}
	_, noRun := c.DescribeMapRun(ctx, &sfn.DescribeMapRunInput{MapRunArn: aws.String("arn:aws:states:us-east-1:000000000000:mapRun:machine/L:x")})
	_, badToken := c.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: &m.arn, NextToken: aws.String("!")})
	_, neither := c.ListExecutions(ctx, &sfn.ListExecutionsInput{})
	_, tooMany := c.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: aws.String(begin(t, s, m, `{}`).arn()), MaxResults: 1001})
	_, unsupported := c.RedriveExecution(ctx, &sfn.RedriveExecutionInput{ExecutionArn: execution})
	tests := map[string]struct {
		err  error
		want string
		kind any
	}{
		"no machine":         {start(sfn.StartExecutionInput{StateMachineArn: aws.String(m.arn + "x")}), "StateMachineDoesNotExist", new(*types.StateMachineDoesNotExist)},
		"machine's ARN":      {start(sfn.StartExecutionInput{StateMachineArn: aws.String("x")}), "InvalidArn", new(*types.InvalidArn)},
		"labelled":           {start(sfn.StartExecutionInput{StateMachineArn: aws.String(m.arn + "/L")}), "ValidationException", new(*types.ValidationException)},
		"name's characters":  {start(sfn.StartExecutionInput{Name: aws.String("a b")}), "InvalidName", new(*types.InvalidName)},
		"name's length":      {start(sfn.StartExecutionInput{Name: aws.String(strings.Repeat("x", 81))}), "ValidationException", new(*types.ValidationException)},
		"input no JSON":      {start(sfn.StartExecutionInput{Input: aws.String("{'a'}")}), "InvalidExecutionInput", new(*types.InvalidExecutionInput)},
		"input empty":        {start(sfn.StartExecutionInput{Input: aws.String("")}), "InvalidExecutionInput", new(*types.InvalidExecutionInput)},
		"input too large":    {start(sfn.StartExecutionInput{Input: aws.String(`"` + strings.Repeat("x", maxPayloadBytes) + `"`)}), "ValidationException", new(*types.ValidationException)},
		"no execution":       {describe(*execution), "ExecutionDoesNotExist", new(*types.ExecutionDoesNotExist)},
		"not an execution":   {describe(m.arn), "InvalidArn", new(*types.InvalidArn)},
		"no Map Run":         {noRun, "ResourceNotFound", new(*types.ResourceNotFound)},
		"bad token":          {badToken, "InvalidToken", new(*types.InvalidToken)},
		"neither ARN":        {neither, "ValidationException", new(*types.ValidationException)},
		"page too large":     {tooMany, "ValidationException", nil},
		"unsupported action": {unsupported, "UnknownOperationException", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got smithy.APIError
			if !errors.As(test.err, &got) || got.ErrorCode() != test.want || got.ErrorMessage() == "" {
				t.Errorf("got %v, want %s", test.err, test.want)
			}
			if test.kind != nil && !errors.As(test.err, test.kind) {
				t.Errorf("the SDK has no %T in %v", test.kind, test.err)
			}
		})
	}
}

// TestLambdaAnswersBecomeTheErrorsOfStepFunctions goes through the real Lambda client, as the local runtime does.
func TestLambdaAnswersBecomeTheErrorsOfStepFunctions(t *testing.T) {
	tests := map[string]struct {
		status  int
		headers map[string]string
		body    string
		want    string
	}{
		"a named error":     {200, map[string]string{"X-Amz-Function-Error": "Unhandled"}, `{"errorMessage":"m","errorType":"DatabaseBusy"}`, `DatabaseBusy: {"errorMessage":"m","errorType":"DatabaseBusy"}`},
		"a crash":           {200, map[string]string{"X-Amz-Function-Error": "Unhandled"}, `{"errorType":"Runtime.ExitError","errorMessage":"exit status 2"}`, `Runtime.ExitError: {"errorType":"Runtime.ExitError","errorMessage":"exit status 2"}`},
		"a timeout":         {200, map[string]string{"X-Amz-Function-Error": "Unhandled"}, `{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out"}`, `Sandbox.Timedout: {"errorType":"Sandbox.Timedout","errorMessage":"Task timed out"}`},
		"no type":           {200, map[string]string{"X-Amz-Function-Error": "Unhandled"}, `{"errorMessage":"m"}`, `Lambda.Unknown: The cause could not be determined because Lambda did not return an error type. Returned payload: {"errorMessage":"m"}`},
		"a throttle":        {429, map[string]string{"X-Amzn-Errortype": "TooManyRequestsException", "X-Amzn-Requestid": "r"}, `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}`, `Lambda.TooManyRequestsException: Rate Exceeded. (Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: r; Proxy: null)`},
		"no such function":  {404, map[string]string{"X-Amzn-Errortype": "ResourceNotFoundException", "X-Amzn-Requestid": "r"}, `{"Message":"Function not found: f"}`, `Lambda.ResourceNotFoundException: Function not found: f (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: r; Proxy: null)`},
		"a service failure": {500, map[string]string{"X-Amzn-Errortype": "ServiceException", "X-Amzn-Requestid": "r"}, `{"Message":"internal"}`, `Lambda.ServiceException: internal (Service: AWSLambda; Status Code: 500; Error Code: ServiceException; Request ID: r; Proxy: null)`},
		"an unnamed 503":    {503, map[string]string{"X-Amzn-Requestid": "r"}, `{}`, `Lambda.ServiceException: UnknownError (Service: AWSLambda; Status Code: 503; Error Code: UnknownError; Request ID: r; Proxy: null)`},
		"an answer":         {200, map[string]string{"X-Amz-Executed-Version": "$LATEST"}, `{"n":1}`, ``},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				if body, err := io.ReadAll(r.Body); err != nil || string(body) != `{"retry":0}` || r.URL.Path != "/2015-03-31/functions/f/invocations" {
					t.Errorf("Lambda got %s %s, %v", r.URL, body, err)
				}
				for key, value := range test.headers {
					w.Header().Set(key, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer server.Close()
			client := lambda.New(lambda.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: dummy})
			definition := strings.Replace(fmt.Sprintf(taskWith, `"TimeoutSeconds":30`), `"OutputPath":"$.Payload"`, `"OutputPath":"$"`, 1)
			e := run(t, Config{Lambda: client}, definition, `{}`)
			if calls != 1 {
				t.Errorf("%d calls, want one: the SDK must not retry", calls)
			}
			if test.want != "" {
				ended(t, e, test.want)
				return
			}
			out := e.snapshot().output
			for _, part := range []string{`"ExecutedVersion":"$LATEST"`, `"Payload":{"n":1}`, `"StatusCode":200`, `"HttpStatusCode":200`, `"X-Amz-Executed-Version":["$LATEST"]`} {
				if !strings.Contains(out, part) {
					t.Errorf("the output %s lacks %s", out, part)
				}
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		client := lambda.New(lambda.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: dummy})
		e := run(t, Config{Lambda: client}, fmt.Sprintf(taskWith, `"TimeoutSeconds":30`), `{}`)
		if f := e.snapshot().failure; f == nil || f.name != "Lambda.SdkClientException" || !strings.Contains(f.cause, "connection refused") {
			t.Errorf("it ended with %v", f)
		}
	})
}
