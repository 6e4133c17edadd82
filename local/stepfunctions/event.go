package stepfunctions

import (
	"encoding/json"
	"time"
)

// Types of history events, as the API names them. Those of entering and leaving a state are made from the state's type.
const (
	executionStarted   = "ExecutionStarted"
	executionSucceeded = "ExecutionSucceeded"
	executionFailed    = "ExecutionFailed"
	executionAborted   = "ExecutionAborted"
	executionTimedOut  = "ExecutionTimedOut"
	taskScheduled      = "TaskScheduled"
	taskStarted        = "TaskStarted"
	taskSucceeded      = "TaskSucceeded"
	taskFailed         = "TaskFailed"
	taskTimedOut       = "TaskTimedOut"
	mapStateStarted    = "MapStateStarted"
	mapStateSucceeded  = "MapStateSucceeded"
	mapStateFailed     = "MapStateFailed"
	mapRunStarted      = "MapRunStarted"
	mapRunSucceeded    = "MapRunSucceeded"
	mapRunFailed       = "MapRunFailed"
	mapRunAborted      = "MapRunAborted"
	entered, exited    = "StateEntered", "StateExited"
)

// event is one history event, as small as the API allows. Its id is its place in the history.
type event struct {
	kind     string
	previous int
	at       time.Time
	// name is the state, or the Map Run's ARN.
	name string
	// data is the input, the output or the parameters, as JSON.
	data string
	// failed is the error and cause.
	failed *failure
	// number is TimeoutSeconds of a task, or the length of a Map.
	number int64
}

// packedEvent is how an event is kept once its execution ended.
type packedEvent struct {
	Kind     string `json:"k"`
	Previous int    `json:"p,omitempty"`
	At       int64  `json:"t"`
	Name     string `json:"n,omitempty"`
	Data     string `json:"d,omitempty"`
	Failed   bool   `json:"f,omitempty"`
	Error    string `json:"e,omitempty"`
	Cause    string `json:"c,omitempty"`
	Number   int64  `json:"i,omitempty"`
}

// details is the object that an event of the API carries beside id, type and time: its name and its fields. includeData
// false leaves out inputs and outputs.
func (e *event) details(includeData bool, roleARN, region string) (string, map[string]any) {
	fields := map[string]any{}
	data := func(name string) {
		if includeData {
			fields[name] = e.data
			fields[name+"Details"] = map[string]any{"truncated": false}
		}
	}
	failed := func() {
		if e.failed == nil {
			return
		}
		if e.failed.name != "" {
			fields["error"] = e.failed.name
		}
		if e.failed.cause != "" {
			fields["cause"] = e.failed.cause
		}
	}
	resource := func() { fields["resource"], fields["resourceType"] = "invoke", "lambda" }
	switch e.kind {
	case executionStarted:
		data("input")
		fields["roleArn"] = roleARN
		return "executionStartedEventDetails", fields
	case executionSucceeded:
		data("output")
		return "executionSucceededEventDetails", fields
	case executionFailed:
		failed()
		return "executionFailedEventDetails", fields
	case executionAborted:
		failed()
		return "executionAbortedEventDetails", fields
	case executionTimedOut:
		failed()
		return "executionTimedOutEventDetails", fields
	case taskScheduled:
		resource()
		fields["region"], fields["parameters"] = region, e.data
		if !includeData {
			fields["parameters"] = "{}"
		}
		if e.number > 0 {
			fields["timeoutInSeconds"] = e.number
		}
		return "taskScheduledEventDetails", fields
	case taskStarted:
		resource()
		return "taskStartedEventDetails", fields
	case taskSucceeded:
		resource()
		data("output")
		return "taskSucceededEventDetails", fields
	case taskFailed:
		resource()
		failed()
		return "taskFailedEventDetails", fields
	case taskTimedOut:
		resource()
		failed()
		return "taskTimedOutEventDetails", fields
	case mapStateStarted:
		fields["length"] = e.number
		return "mapStateStartedEventDetails", fields
	case mapRunStarted:
		fields["mapRunArn"] = e.name
		return "mapRunStartedEventDetails", fields
	case mapRunFailed:
		failed()
		return "mapRunFailedEventDetails", fields
	case mapStateSucceeded, mapStateFailed, mapRunSucceeded, mapRunAborted:
		return "", nil
	}
	fields["name"] = e.name
	if isEntered(e.kind) {
		data("input")
		return "stateEnteredEventDetails", fields
	}
	data("output")
	return "stateExitedEventDetails", fields
}

func isEntered(kind string) bool {
	return len(kind) > len(entered) && kind[len(kind)-len(entered):] == entered
}

// render is the event as GetExecutionHistory answers it.
func (e *event) render(id int, includeData bool, roleARN, region string) json.RawMessage {
	out := map[string]any{"id": id, "previousEventId": e.previous, "timestamp": epoch(e.at), "type": e.kind}
	if name, fields := e.details(includeData, roleARN, region); name != "" {
		out[name] = fields
	}
	return json.RawMessage(encode(out))
}
