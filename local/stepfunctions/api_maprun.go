package stepfunctions

import "slices"

type mapRunRequest struct {
	MapRunARN string `json:"mapRunArn"`
}

func (s *Service) run(arn string) (*mapRun, error) {
	if _, err := s.arnParts(arn, "mapRun"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if run, ok := s.runs[arn]; ok {
		return run, nil
	}
	return nil, apiErrorf("ResourceNotFound", "Resource not found: '%s'", arn)
}

func (s *Service) listMapRuns(in struct {
	pageRequest
	executionRequest
}) (any, error) {
	e, err := s.execution(in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	var runs []*mapRun
	s.mu.Lock()
	for _, run := range s.runs {
		if run.parent == e {
			runs = append(runs, run)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(runs, func(a, b *mapRun) int { return int(b.number - a.number) })
	entries := make([]listed, 0, len(runs))
	for _, run := range runs {
		entries = append(entries, listed{run.number, run.listItem})
	}
	return in.page("mapRuns", true, entries)
}

func (r *mapRun) listItem() map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]any{
		"mapRunArn": r.arn(), "executionArn": r.parent.arn(), "startDate": epoch(r.start),
		"stateMachineArn": r.parent.machine.arn + "/" + r.label,
	}
	if r.status != running {
		out["stopDate"] = epoch(r.stop)
	}
	return out
}

func (s *Service) describeMapRun(in mapRunRequest) (any, error) {
	r, err := s.run(in.MapRunARN)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.counts[succeeded] + r.counts[failed] + r.counts[timedOut] + r.counts[stopped]
	active := int64(len(r.active))
	// Without an ItemBatcher a child works on one item, so items and executions count the same.
	counts := map[string]any{
		"pending": r.total - ended - active, "running": active, "succeeded": r.counts[succeeded], "failed": r.counts[failed],
		"timedOut": r.counts[timedOut], "aborted": r.counts[stopped], "total": r.total, "resultsWritten": r.written,
		"failuresNotRedrivable": 0, "pendingRedrive": 0,
	}
	out := map[string]any{
		"mapRunArn": r.arn(), "executionArn": r.parent.arn(), "status": r.status, "startDate": epoch(r.start),
		"maxConcurrency": r.concurrency, "toleratedFailureCount": int64(0), "toleratedFailurePercentage": 0.0,
		"itemCounts": counts, "executionCounts": counts, "redriveCount": 0,
	}
	if r.tolerated != nil {
		out["toleratedFailureCount"] = *r.tolerated
	}
	if r.percentage != nil {
		out["toleratedFailurePercentage"] = *r.percentage
	}
	if r.status != running {
		out["stopDate"] = epoch(r.stop)
	}
	return out, nil
}

type updateRequest struct {
	mapRunRequest
	MaxConcurrency             *int64   `json:"maxConcurrency"`
	ToleratedFailureCount      *int64   `json:"toleratedFailureCount"`
	ToleratedFailurePercentage *float64 `json:"toleratedFailurePercentage"`
}

// updateMapRun changes the limits of a Map Run while it runs. MaxConcurrency 0 is no limit: it is no pause.
func (s *Service) updateMapRun(in updateRequest) (any, error) {
	r, err := s.run(in.MapRunARN)
	if err != nil {
		return nil, err
	}
	if in.MaxConcurrency != nil && *in.MaxConcurrency < 0 {
		return nil, invalid("maxConcurrency", "Member must have value greater than or equal to 0")
	}
	if in.ToleratedFailureCount != nil && *in.ToleratedFailureCount < 0 {
		return nil, invalid("toleratedFailureCount", "Member must have value greater than or equal to 0")
	}
	if p := in.ToleratedFailurePercentage; p != nil && (*p < 0 || *p > 100) {
		return nil, invalid("toleratedFailurePercentage", "Member must have value between 0 and 100")
	}
	r.mu.Lock()
	ended := r.status != running
	if !ended {
		if in.MaxConcurrency != nil {
			r.concurrency = *in.MaxConcurrency
		}
		if in.ToleratedFailureCount != nil {
			r.tolerated = in.ToleratedFailureCount
		}
		if in.ToleratedFailurePercentage != nil {
			r.percentage = in.ToleratedFailurePercentage
		}
	}
	r.mu.Unlock()
	if ended {
		return nil, &apiError{code: "ValidationException", message: "Map Run " + r.arn() + " has ended and cannot be updated", reason: "CANNOT_UPDATE_COMPLETED_MAP_RUN"}
	}
	r.checkThreshold()
	r.signal()
	return map[string]any{}, nil
}
