package stepfunctions

import (
	"context"
	"math/rand/v2"
	"time"
)

// visit is one stay in a state, with all its retries.
type visit struct {
	execution *execution
	state     *state
	raw       any
	// root is the execution's input.
	root any
	// id is the event of entering.
	id      int
	at      time.Time
	retries int
	// item is $$.Map.Item in an ItemSelector.
	item map[string]any
}

// states runs the states one after the other and gives the output of the last, as JSON.
func (e *execution) states(ctx context.Context, text string, root any) (string, *failure) {
	input := root
	for st := e.program.states[e.program.startAt]; ; {
		if ctx.Err() != nil {
			return "", aborted
		}
		v := &visit{execution: e, state: st, raw: input, root: root, at: e.service.now()}
		v.id = e.add(event{kind: st.kind + entered, name: st.name, data: text})
		output, next, f := e.visit(ctx, v)
		if f != nil {
			return "", f
		}
		if text = encode(output); len(text) > maxPayloadBytes {
			return "", tooLarge(st.name)
		}
		e.add(event{kind: st.kind + exited, name: st.name, data: text})
		if next == "" {
			return text, nil
		}
		st, input = e.program.states[next], output
	}
}

// visit runs a state with its Retry and Catch, and gives its output and the next state, "" after the last.
func (e *execution) visit(ctx context.Context, v *visit) (any, string, *failure) {
	used := make([]int, len(v.state.retriers))
	for {
		output, next, f := e.attempt(ctx, v)
		if f == nil || f == aborted || ctx.Err() != nil {
			return output, next, f
		}
		if i := v.state.retrierFor(f.name, used); i >= 0 {
			wait := v.state.retriers[i].delay(used[i], rand.Float64())
			used[i]++
			v.retries++
			if !sleep(ctx, wait) {
				return nil, "", aborted
			}
			continue
		}
		for _, c := range v.state.catchers {
			if matches(c.errors, f.name, v.state.kind) {
				output, putFailure := c.resultPath.put(v.raw, f.output())
				return output, c.next, putFailure
			}
		}
		return nil, "", f
	}
}

// retrierFor is the index of the first retrier that matches, -1 if there is none or its attempts are used up.
func (st *state) retrierFor(name string, used []int) int {
	for i, r := range st.retriers {
		if matches(r.errors, name, st.kind) {
			if int64(used[i]) < r.attempts {
				return i
			}
			return -1
		}
	}
	return -1
}

// attempt runs a state once: InputPath, the state's own work, ResultSelector, ResultPath, OutputPath.
func (e *execution) attempt(ctx context.Context, v *visit) (any, string, *failure) {
	st := v.state
	input, f := v.input()
	if f != nil {
		return nil, "", v.located(f)
	}
	result, next := input, st.next
	switch st.kind {
	case "Task":
		result, f = e.runTask(ctx, v, input)
	case "Map":
		result, f = e.runMap(ctx, v, input)
	case "Choice":
		next, f = st.choice.decide(v.scope(input))
	case "Wait":
		f = st.wait.run(ctx, e.service.clock, v.scope(input))
	case "Fail":
		f = st.fail.raise(v.scope(input))
		if f.name != errRuntime {
			return nil, "", f
		}
	case "Pass":
		if st.parameters != nil {
			result, f = st.parameters.eval(v.scope(input))
		}
		if st.hasPassResult {
			result = st.passResult
		}
	}
	if f == nil && st.selector != nil {
		result, f = st.selector.eval(v.scope(result))
	}
	if f == nil && (st.kind == "Task" || st.kind == "Map" || st.kind == "Pass") {
		result, f = st.resultPath.put(v.raw, result)
	}
	if f == nil {
		result, f = v.output(result)
	}
	if f == nil && (st.kind == "Task" || st.kind == "Map") && len(encode(result)) > maxPayloadBytes {
		f = tooLarge(st.name)
	}
	return result, next, v.located(f)
}

// located adds to a failure of the interpreter itself where it happened, as AWS writes it.
func (v *visit) located(f *failure) *failure {
	if f == nil {
		return nil
	}
	switch f.name {
	case errRuntime, errNoChoiceMatched, errIntrinsicFailure, errResultPathMatch, errParameterPathFailure:
		return failf(f.name, "An error occurred while executing the state '%s' (entered at the event id #%d). %s",
			v.state.name, v.id, f.cause)
	}
	return f
}

func (v *visit) input() (any, *failure) {
	if v.state.dropInput {
		return map[string]any{}, nil
	}
	return v.through(v.state.inputPath, "InputPath", v.raw)
}

func (v *visit) output(result any) (any, *failure) {
	if v.state.dropOutput {
		return map[string]any{}, nil
	}
	return v.through(v.state.outputPath, "OutputPath", result)
}

func (v *visit) through(p *path, field string, value any) (any, *failure) {
	if p == nil {
		return value, nil
	}
	found, ok := p.get(v.scope(value))
	if !ok {
		return nil, failf(errRuntime, "Invalid path '%s': %s leads nowhere in '%s'", p.text, field, encode(value))
	}
	return found, nil
}

// scope is what the state's paths see: input as $, and the context object as $$.
func (v *visit) scope(input any) *scope {
	return &scope{input: input, context: v.contextObject}
}

// contextObject is $$.
func (v *visit) contextObject() any {
	e := v.execution
	out := map[string]any{
		"Execution": map[string]any{
			"Id": e.arn(), "Name": e.name, "Input": v.root, "StartTime": iso(e.start),
			"RoleArn": e.service.roleARN(), "RedriveCount": int64(0),
		},
		"StateMachine": map[string]any{"Id": e.machineARN(), "Name": e.machine.name},
		"State":        map[string]any{"Name": v.state.name, "EnteredTime": iso(v.at), "RetryCount": int64(v.retries)},
	}
	if v.item != nil {
		out["Map"] = map[string]any{"Item": v.item}
	}
	return out
}

// iso is a time as the context object and result files write it.
func iso(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// sleep waits, and tells whether it was not interrupted.
func sleep(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
