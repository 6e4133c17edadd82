package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

const arn = "arn:aws:states:us-east-1:000000000000:execution:fanmail:spring-sale-1"

// source answers the looks one by one, the last one for ever.
type source struct {
	looks  []look
	n      int
	report workflow.Report
	status error
}

type look struct {
	execution cloud.Execution
	err       error
}

func (s *source) DescribeExecution(ctx context.Context, _ string) (cloud.Execution, error) {
	if ctx.Err() != nil {
		return cloud.Execution{}, ctx.Err()
	}
	l := s.looks[min(s.n, len(s.looks)-1)]
	s.n++
	return l.execution, l.err
}

func (s *source) Status(context.Context, string) (workflow.Report, error) { return s.report, s.status }

var (
	running = look{execution: cloud.Execution{ARN: arn, Status: "RUNNING"}}
	done    = look{execution: cloud.Execution{
		ARN: arn, Status: "SUCCEEDED", Started: time.Unix(100, 0), Stopped: time.Unix(112, 5e8),
		Output: `{"campaign":"spring-sale","state":"finished","recipients":5,"sent":5}`,
	}}
	unanswered = look{err: errors.New("no answer")}
)

func followIt(ctx context.Context, s *source, progress io.Writer) (End, error) {
	return Follower{Source: s, Progress: terminal.NewProgress(progress)}.Follow(ctx, arn, "spring-sale")
}

func TestFollowReturnsTheReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress strings.Builder
		s := &source{looks: []look{running, unanswered, running, done}}
		s.report = workflow.Report{Campaign: "spring-sale", Execution: arn, Recipients: 5, Pending: 2, Waves: 1}
		end, err := followIt(t.Context(), s, &progress)
		if err != nil || end.Err() != nil {
			t.Fatal(err, end.Err())
		}
		if end.Report.Sent != 5 || end.Seconds != 12.5 || end.Status != "SUCCEEDED" {
			t.Errorf("got %+v, report %+v", end, end.Report)
		}
		if want := "spring-sale: started\nspring-sale: wave 1: 3 of 5 (60 %)\n"; progress.String() != want {
			t.Errorf("progress %q, want %q", progress.String(), want)
		}
	})
}

func TestFollowSaysWhatARunningCampaignWaitsFor(t *testing.T) {
	for state, want := range map[string]string{
		"running":  "spring-sale: wave 1, waits: the send window is closed: 2 of 5 (40 %)\n",
		"finished": "spring-sale: wave 1: 2 of 5 (40 %)\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var progress strings.Builder
			s := &source{looks: []look{running, done}}
			s.report = workflow.Report{Execution: arn, State: state, Reason: "the send window is closed", Recipients: 5, Pending: 2, InDoubt: 1, Waves: 1}
			if _, err := followIt(t.Context(), s, &progress); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(progress.String(), want) {
				t.Errorf("%s: progress %q, want %q", state, progress.String(), want)
			}
		})
	}
}

func TestFollowIgnoresTheStatusOfAnEarlierExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress strings.Builder
		s := &source{looks: []look{running, done}}
		s.report = workflow.Report{Execution: "another", Recipients: 5, Waves: 1}
		if _, err := followIt(t.Context(), s, &progress); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(progress.String(), "wave") {
			t.Errorf("progress %q", progress.String())
		}
	})
}

func TestFollowGivesUpWhenNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{looks: []look{unanswered}}
		_, err := followIt(t.Context(), s, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "goes on by itself (`fanmail status spring-sale`): no answer") {
			t.Errorf("got %v", err)
		}
		if s.n != failuresAllowed+1 {
			t.Errorf("looked %d times", s.n)
		}
	})
}

func TestFollowStopsWhenInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := followIt(ctx, &source{looks: []look{running}}, io.Discard)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), arn) {
			t.Errorf("got %v", err)
		}
	})
}

func TestEndErrIsOneClearLine(t *testing.T) {
	cause := `{"errorMessage":"spring-sale is being sent by another execution","errorType":"CampaignBusy"}`
	for _, c := range []struct {
		execution cloud.Execution
		want      string
	}{
		{cloud.Execution{Status: "FAILED", Error: "CampaignBusy", Cause: cause},
			"the execution ended as FAILED: CampaignBusy: spring-sale is being sent by another execution"},
		{cloud.Execution{Status: "FAILED", Error: "States.Runtime", Cause: "no such path"},
			"the execution ended as FAILED: States.Runtime: no such path"},
		{cloud.Execution{Status: "FAILED", Error: "StepFunctionsFailed", Cause: `{"Error":"States.ItemReaderFailed","Cause":"no such key"}`},
			"the execution ended as FAILED: StepFunctionsFailed: States.ItemReaderFailed: no such key"},
		{cloud.Execution{Status: "FAILED", Error: "StepFunctionsFailed", Cause: `{"Error":"States.Timeout"}`},
			"the execution ended as FAILED: StepFunctionsFailed: States.Timeout"},
		{cloud.Execution{Status: "FAILED", Error: "Lambda.Unknown"}, "the execution ended as FAILED: Lambda.Unknown"},
		{cloud.Execution{Status: "ABORTED", Cause: "enough"}, "the execution ended as ABORTED: enough"},
		{cloud.Execution{Status: "ABORTED"}, "the execution was aborted: starting the campaign again resumes it"},
		{cloud.Execution{Status: "TIMED_OUT"}, "the execution ended as TIMED_OUT"},
		{cloud.Execution{Status: "SUCCEEDED", Output: `{"campaign":"a","state":"halted","reason":"too many bounces"}`},
			"a is halted: too many bounces"},
		{cloud.Execution{Status: "SUCCEEDED", Output: `{"campaign":"a","state":"paused"}`}, "<nil>"},
		{cloud.Execution{Status: "SUCCEEDED", Output: `{"campaign":"a","state":"finished"}`}, "<nil>"},
	} {
		end, err := newEnd(c.execution)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(end.Err()); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.execution, got, c.want)
		}
	}
}
