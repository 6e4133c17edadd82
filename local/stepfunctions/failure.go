package stepfunctions

import "fmt"

// Error names that Step Functions itself reports.
// Source: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const (
	errAll                  = "States.ALL"
	errTaskFailed           = "States.TaskFailed"
	errTimeout              = "States.Timeout"
	errHeartbeatTimeout     = "States.HeartbeatTimeout"
	errRuntime              = "States.Runtime"
	errDataLimitExceeded    = "States.DataLimitExceeded"
	errNoChoiceMatched      = "States.NoChoiceMatched"
	errIntrinsicFailure     = "States.IntrinsicFailure"
	errParameterPathFailure = "States.ParameterPathFailure"
	errResultPathMatch      = "States.ResultPathMatchFailure"
	errThreshold            = "States.ExceedToleratedFailureThreshold"
	errItemReaderFailed     = "States.ItemReaderFailed"
	errResultWriterFailed   = "States.ResultWriterFailed"
	errPermissions          = "States.Permissions"
	errBranchFailed         = "States.BranchFailed"
	errQueryEvaluation      = "States.QueryEvaluationError"
)

// reserved begins the names of errors that are Step Functions' own.
const reserved = "States."

// reservedErrors are the names beginning with "States." that a Retry or Catch may hold.
var reservedErrors = map[string]bool{
	errAll: true, errTaskFailed: true, errTimeout: true, errHeartbeatTimeout: true, errRuntime: true,
	errDataLimitExceeded: true, errNoChoiceMatched: true, errIntrinsicFailure: true, errParameterPathFailure: true,
	errResultPathMatch: true, errThreshold: true, errItemReaderFailed: true, errResultWriterFailed: true,
	errPermissions: true, errBranchFailed: true, errQueryEvaluation: true,
}

// failure is the Error Output of a state. A nil *failure means that all went well. Timeouts have no cause.
type failure struct{ name, cause string }

// aborted stands for the end of an execution that was decided elsewhere: no Retry or Catch sees it.
var aborted = &failure{name: "aborted"}

func (f *failure) Error() string { return f.name + ": " + f.cause }

func failf(name, format string, args ...any) *failure {
	return &failure{name: name, cause: fmt.Sprintf(format, args...)}
}

// output is what a Catch puts at its ResultPath. Cause is always there, "" when AWS has none.
func (f *failure) output() map[string]any {
	return map[string]any{"Error": f.name, "Cause": f.cause}
}

// tooLarge is the failure of a payload above maxPayloadBytes.
func tooLarge(what string) *failure {
	return failf(errDataLimitExceeded,
		"The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", what)
}
