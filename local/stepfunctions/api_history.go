package stepfunctions

import "encoding/json"

func (s *Service) getExecutionHistory(in struct {
	pageRequest
	executionRequest
	ReverseOrder         bool  `json:"reverseOrder"`
	IncludeExecutionData *bool `json:"includeExecutionData"`
}) (any, error) {
	e, err := s.execution(in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	after, size, err := in.window()
	if err != nil {
		return nil, err
	}
	includeData := in.IncludeExecutionData == nil || *in.IncludeExecutionData
	events := e.events()
	first, step := 1, 1
	if in.ReverseOrder {
		first, step = len(events), -1
	}
	if after >= 0 {
		first = int(after) + step
	}
	out := map[string]any{}
	shown := []json.RawMessage{}
	for id := first; id >= 1 && id <= len(events); id += step {
		if len(shown) == size {
			out["nextToken"] = token(int64(id - step))
			break
		}
		shown = append(shown, events[id-1].render(id, includeData, s.roleARN(), s.region))
	}
	out["events"] = shown
	return out, nil
}
