package stepfunctions

import (
	"context"

	"github.com/google/uuid"
)

// dispatch starts a child for each item, never more at a time than the limit.
func (r *mapRun) dispatch(ctx context.Context, items <-chan item) {
	for index := 0; ; index++ {
		var next item
		var ok bool
		select {
		case next, ok = <-items:
		case <-ctx.Done():
			return
		}
		if !ok {
			r.allRead()
			return
		}
		if next.failure != nil {
			r.fail(next.failure)
			return
		}
		text, input, f := r.childInput(index, next)
		if f != nil {
			r.fail(f)
			return
		}
		if !r.acquire(ctx) {
			return
		}
		if !r.startChild(ctx, index, text, input) {
			return
		}
	}
}

// childInput makes the input of a child: ItemSelector over the item, or the item itself.
func (r *mapRun) childInput(index int, next item) (string, any, *failure) {
	value, err := decode(next.data)
	if err != nil {
		return "", nil, failf(errItemReaderFailed, "Item %d of s3://%s/%s is no JSON: %v", index, r.object.bucket, r.object.key, err)
	}
	if r.state.selector != nil {
		v := *r.visit
		v.item = map[string]any{"Index": int64(index), "Value": value}
		selected, f := r.state.selector.eval(v.scope(r.input))
		if f != nil {
			return "", nil, f
		}
		value = selected
	}
	text := encode(value)
	if len(text) > maxPayloadBytes {
		return "", nil, failf(errDataLimitExceeded, "The input of the child execution for item %d exceeds the maximum number of bytes service limit.", index)
	}
	return text, value, nil
}

// acquire waits until another child may run.
func (r *mapRun) acquire(ctx context.Context) bool {
	for {
		r.mu.Lock()
		limit := r.concurrency
		if limit == 0 || limit > maxRunConcurrency {
			limit = maxRunConcurrency
		}
		free := int64(len(r.active)) < limit
		r.mu.Unlock()
		if ctx.Err() != nil {
			return false
		}
		if free {
			return true
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return false
		}
	}
}

// startChild starts a child unless the run has ended meanwhile.
func (r *mapRun) startChild(ctx context.Context, index int, text string, input any) bool {
	childCtx, cancel := context.WithCancelCause(ctx)
	child := &execution{
		service: r.service, machine: r.parent.machine, program: r.state.processor, run: r, index: index,
		name: uuid.NewString(), cancel: cancel,
	}
	child.begin(text)
	r.mu.Lock()
	if r.status != running || r.failure != nil {
		r.mu.Unlock()
		cancel(nil)
		return false
	}
	r.active[child] = struct{}{}
	r.children = append(r.children, child)
	if r.state.writer == nil {
		r.outputs = append(r.outputs, "")
	}
	r.mu.Unlock()
	r.service.addChild(child)
	r.working.Go(func() {
		defer cancel(nil)
		child.interpret(childCtx, text, input)
	})
	return true
}

// childEnded counts a child that ended, and fails the run when too many did not succeed.
func (r *mapRun) childEnded(child *execution, status, output string) {
	r.mu.Lock()
	delete(r.active, child)
	r.counts[status]++
	if r.state.writer == nil && status == succeeded {
		r.outputs[child.index] = output
	}
	r.mu.Unlock()
	r.checkThreshold()
	r.signal()
}

func (r *mapRun) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *mapRun) allRead() {
	r.mu.Lock()
	r.readAll = true
	r.mu.Unlock()
	r.checkThreshold()
}

// checkThreshold fails the run when more children failed than it tolerates: more than the count, or more than the
// percentage of all items, which is known once all are read. With neither, none is tolerated.
func (r *mapRun) checkThreshold() {
	r.mu.Lock()
	bad := r.counts[failed] + r.counts[timedOut] + r.counts[stopped]
	over := r.tolerated != nil && bad > *r.tolerated
	if r.percentage != nil && r.readAll && float64(bad)*100 > *r.percentage*float64(r.total) {
		over = true
	}
	if r.tolerated == nil && (r.percentage == nil || *r.percentage == 0) && bad > 0 {
		over = true
	}
	over = over && r.status == running
	r.mu.Unlock()
	if over {
		r.fail(failf(errThreshold, "The specified tolerated failure threshold was exceeded"))
	}
}
