package endtoend

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"fanmail/shared/workflow"
)

// start starts the campaign and returns the execution's ARN.
func (d *stack) start(campaign string) string {
	d.t.Helper()
	return d.startWith(`{"campaign":"` + campaign + `"}`)
}

func (d *stack) startWith(input string) string {
	d.t.Helper()
	out, err := d.executions.StartExecution(d.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(d.StateMachineARN()), Input: aws.String(input),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return *out.ExecutionArn
}

// stop aborts an execution.
func (d *stack) stop(execution string) {
	d.t.Helper()
	if _, err := d.executions.StopExecution(d.t.Context(), &sfn.StopExecutionInput{ExecutionArn: &execution}); err != nil {
		d.t.Fatal(err)
	}
	if status := d.describe(execution).Status; status != types.ExecutionStatusAborted {
		d.t.Fatalf("the stopped execution is %s", status)
	}
}

func (d *stack) describe(execution string) *sfn.DescribeExecutionOutput {
	d.t.Helper()
	out, err := d.executions.DescribeExecution(d.t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// end waits for the end of an execution.
func (d *stack) end(execution string) *sfn.DescribeExecutionOutput {
	d.t.Helper()
	var out *sfn.DescribeExecutionOutput
	d.await("the end of "+execution, func() bool {
		out = d.describe(execution)
		return out.Status != types.ExecutionStatusRunning
	})
	return out
}

// succeed waits for the end of an execution, and returns its report, which must add up.
func (d *stack) succeed(execution string) workflow.Report {
	d.t.Helper()
	out := d.end(execution)
	if out.Status != types.ExecutionStatusSucceeded {
		d.t.Fatalf("the execution is %s: %s: %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
	}
	var r workflow.Report
	if err := json.Unmarshal([]byte(aws.ToString(out.Output)), &r); err != nil {
		d.t.Fatalf("the output %s: %v", aws.ToString(out.Output), err)
	}
	if sum := r.Sent + r.Failed + r.Suppressed + r.Skipped + r.InDoubt + r.Pending; sum != r.Recipients || r.Recipients == 0 {
		d.t.Errorf("the report does not add up: %+v", r)
	}
	if r.Execution != execution {
		d.t.Errorf("the report is of execution %s, not %s", r.Execution, execution)
	}
	return r
}

// fail waits for the failure of an execution, and returns the error's name and message.
func (d *stack) fail(execution string) (name, message string) {
	d.t.Helper()
	out := d.end(execution)
	if out.Status != types.ExecutionStatusFailed {
		d.t.Fatalf("the execution is %s, not FAILED: %s", out.Status, aws.ToString(out.Output))
	}
	var cause struct{ ErrorMessage, ErrorType string }
	if err := json.Unmarshal([]byte(aws.ToString(out.Cause)), &cause); err != nil {
		d.t.Errorf("the cause %q is no error of a function: %v", aws.ToString(out.Cause), err)
	}
	return aws.ToString(out.Error), cause.ErrorMessage
}

// waitsIn tells whether an execution waits in WaitUntil now.
func (d *stack) waitsIn(execution string) bool {
	d.t.Helper()
	out, err := d.executions.GetExecutionHistory(d.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, MaxResults: 1})
	if err != nil {
		d.t.Fatal(err)
	}
	return len(out.Events) == 1 && out.Events[0].Type == types.HistoryEventTypeWaitStateEntered
}

// taskFailure is the error of the last task of an execution that failed, tried again or not; "" when none has.
func (d *stack) taskFailure(execution string) (name, message string) {
	d.t.Helper()
	out, err := d.executions.GetExecutionHistory(d.t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, event := range out.Events {
		if failed := event.TaskFailedEventDetails; failed != nil {
			return aws.ToString(failed.Error), aws.ToString(failed.Cause)
		}
	}
	return "", ""
}
