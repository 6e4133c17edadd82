package stepfunctions

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

const notRedrivable = "NOT_REDRIVABLE"

func redriveReason(status string) string {
	if status == running || status == succeeded {
		return "Execution is " + status + " and cannot be redriven"
	}
	return "The local Step Functions does not redrive executions"
}

func (s *Service) startExecutionAction(in struct {
	StateMachineARN string  `json:"stateMachineArn"`
	Name            *string `json:"name"`
	Input           *string `json:"input"`
}) (any, error) {
	m, err := s.machine(in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	name := uuid.NewString()
	if in.Name != nil {
		name = *in.Name
		if utf8.RuneCountInString(name) > maxNameCharacters {
			return nil, invalid("name", "Member must have length less than or equal to 80")
		}
		if !goodName(name) {
			return nil, apiErrorf("InvalidName", "Invalid Name: '%s'", name)
		}
	}
	text := "{}"
	if in.Input != nil {
		text = *in.Input
	}
	if len(text) > maxPayloadBytes {
		return nil, invalid("input", "Member must have length less than or equal to 262144")
	}
	input, err := decode([]byte(text))
	if err != nil {
		return nil, apiErrorf("InvalidExecutionInput", "Invalid State Machine Execution Input: '%v'", err)
	}
	e, existed, err := s.startExecution(m, name, text, input)
	if err != nil {
		return nil, err
	}
	if existed {
		if shown := e.snapshot(); shown.status != running || shown.input != text {
			return nil, apiErrorf("ExecutionAlreadyExists", "Execution Already Exists: '%s'", e.arn())
		}
	}
	return map[string]any{"executionArn": e.arn(), "startDate": epoch(e.start)}, nil
}

type executionRequest struct {
	ExecutionARN string `json:"executionArn"`
}

// execution finds a top-level execution or a child of a Map Run.
func (s *Service) execution(arn string) (*execution, error) {
	rest, err := s.arnParts(arn, "execution")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.executions[arn]; ok {
		return e, nil
	}
	if _, name, ok := strings.Cut(rest, ":"); ok {
		if e, ok := s.children[name]; ok && e.arn() == arn {
			return e, nil
		}
	}
	return nil, apiErrorf("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
}

func (s *Service) describeExecution(in executionRequest) (any, error) {
	e, err := s.execution(in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	shown := e.snapshot()
	included := map[string]any{"included": true}
	out := map[string]any{
		"executionArn": e.arn(), "stateMachineArn": e.machineARN(), "name": e.name, "status": shown.status,
		"startDate": epoch(e.start), "input": shown.input, "inputDetails": included,
		"redriveCount": 0, "redriveStatus": notRedrivable, "redriveStatusReason": redriveReason(shown.status),
	}
	if e.run != nil {
		out["mapRunArn"] = e.run.arn()
	}
	if shown.status != running {
		out["stopDate"] = epoch(shown.stop)
	}
	if shown.status == succeeded {
		out["output"], out["outputDetails"] = shown.output, included
	}
	if f := shown.failure; f != nil {
		if f.name != "" {
			out["error"] = f.name
		}
		if f.cause != "" {
			out["cause"] = f.cause
		}
	}
	return out, nil
}

func (s *Service) stopExecution(in struct {
	executionRequest
	Error string `json:"error"`
	Cause string `json:"cause"`
}) (any, error) {
	e, err := s.execution(in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	var f *failure
	if in.Error != "" || in.Cause != "" {
		f = &failure{name: in.Error, cause: in.Cause}
	}
	// An execution that has ended answers with when it did.
	e.end(stopped, "", f)
	return map[string]any{"stopDate": epoch(e.snapshot().stop)}, nil
}

func (s *Service) listExecutions(in struct {
	pageRequest
	StateMachineARN string `json:"stateMachineArn"`
	MapRunARN       string `json:"mapRunArn"`
	StatusFilter    string `json:"statusFilter"`
	RedriveFilter   string `json:"redriveFilter"`
}) (any, error) {
	if (in.StateMachineARN == "") == (in.MapRunARN == "") {
		return nil, &apiError{code: "ValidationException", message: "Must specify either stateMachineArn or mapRunArn, but not both", reason: "MISSING_REQUIRED_PARAMETER"}
	}
	if in.StatusFilter != "" && !slices.Contains([]string{running, succeeded, failed, timedOut, stopped, "PENDING_REDRIVE"}, in.StatusFilter) {
		return nil, invalid("statusFilter", "Member must satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE]")
	}
	var all []*execution
	if in.MapRunARN != "" {
		run, err := s.run(in.MapRunARN)
		if err != nil {
			return nil, err
		}
		run.mu.Lock()
		all = slices.Clone(run.children)
		run.mu.Unlock()
	} else {
		m, err := s.machine(in.StateMachineARN)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		for _, e := range s.executions {
			if e.machine == m {
				all = append(all, e)
			}
		}
		s.mu.Unlock()
	}
	// Nothing here was ever redriven.
	if in.RedriveFilter == "REDRIVEN" {
		all = nil
	}
	slices.SortFunc(all, func(a, b *execution) int { return int(b.position() - a.position()) })
	entries := make([]listed, 0, len(all))
	for _, e := range all {
		if in.StatusFilter == "" || e.currentStatus() == in.StatusFilter {
			entries = append(entries, listed{e.position(), e.listItem})
		}
	}
	return in.page("executions", true, entries)
}

// position orders executions by their start, the children of a run by their item.
func (e *execution) position() int64 {
	if e.run != nil {
		return int64(e.index) + 1
	}
	return e.number
}

func (e *execution) listItem() map[string]any {
	e.mu.Lock()
	status, stop := e.status, e.stop
	e.mu.Unlock()
	out := map[string]any{
		"executionArn": e.arn(), "stateMachineArn": e.machineARN(), "name": e.name, "status": status,
		"startDate": epoch(e.start), "redriveCount": 0,
	}
	if status != running {
		out["stopDate"] = epoch(stop)
	}
	if e.run != nil {
		out["mapRunArn"], out["itemCount"] = e.run.arn(), 1
	}
	return out
}
