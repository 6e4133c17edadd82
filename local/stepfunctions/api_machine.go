package stepfunctions

import (
	"slices"
	"strings"
)

// machine finds a state machine. ARNs with a Map's label belong to no machine of their own.
func (s *Service) machine(arn string) (*machine, error) {
	rest, err := s.arnParts(arn, "stateMachine")
	if err != nil {
		return nil, err
	}
	if strings.Contains(rest, "/") {
		return nil, &apiError{code: "ValidationException", message: "This API does not support labelled state machine ARNs: " + arn, reason: "API_DOES_NOT_SUPPORT_LABELED_ARNS"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.machines[arn]; ok {
		return m, nil
	}
	return nil, apiErrorf("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
}

func (s *Service) describeStateMachine(in struct {
	StateMachineARN string `json:"stateMachineArn"`
}) (any, error) {
	m, err := s.machine(in.StateMachineARN)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"stateMachineArn": m.arn, "name": m.name, "status": "ACTIVE", "type": "STANDARD", "definition": m.program.source,
		"roleArn": s.roleARN(), "creationDate": epoch(m.created),
		"loggingConfiguration": map[string]any{"level": "OFF", "includeExecutionData": false},
		"tracingConfiguration": map[string]any{"enabled": false},
	}, nil
}

func (s *Service) describeStateMachineForExecution(in executionRequest) (any, error) {
	e, err := s.execution(in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"stateMachineArn": e.machineARN(), "name": e.machine.name, "definition": e.program.source, "roleArn": s.roleARN(),
		"updateDate":           epoch(e.machine.created),
		"loggingConfiguration": map[string]any{"level": "OFF", "includeExecutionData": false},
		"tracingConfiguration": map[string]any{"enabled": false},
	}
	if e.run != nil {
		out["mapRunArn"], out["label"] = e.run.arn(), e.run.label
	}
	return out, nil
}

func (s *Service) listStateMachines(in pageRequest) (any, error) {
	s.mu.Lock()
	machines := make([]*machine, 0, len(s.machines))
	for _, m := range s.machines {
		machines = append(machines, m)
	}
	s.mu.Unlock()
	slices.SortFunc(machines, func(a, b *machine) int { return strings.Compare(a.name, b.name) })
	entries := make([]listed, 0, len(machines))
	for i, m := range machines {
		entries = append(entries, listed{int64(i + 1), func() map[string]any {
			return map[string]any{"stateMachineArn": m.arn, "name": m.name, "type": "STANDARD", "creationDate": epoch(m.created)}
		}})
	}
	return in.page("stateMachines", false, entries)
}
