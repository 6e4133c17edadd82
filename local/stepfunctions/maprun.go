package stepfunctions

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// mapRun is one run of a Map: its children and its counts.
type mapRun struct {
	service *Service
	parent  *execution
	visit   *visit
	state   *mapState
	input   any
	label   string
	id      string
	// number orders Map Runs by their start.
	number int64
	start  time.Time
	bucket string
	prefix string
	object itemObject
	// array holds the items when there is no ItemReader.
	array   []any
	dict    dictionary
	working sync.WaitGroup
	// wake tells the dispatcher that a child ended or a limit changed.
	wake chan struct{}

	mu          sync.Mutex
	status      string
	stop        time.Time
	concurrency int64
	tolerated   *int64
	percentage  *float64
	// total counts the items read so far, all of them once readAll is true.
	total    int64
	readAll  bool
	counts   map[string]int64
	written  int64
	active   map[*execution]struct{}
	children []*execution
	// outputs are the children's outputs by index, kept only without a ResultWriter.
	outputs []string
	failure *failure
	// cancel ends the children's context once the run works.
	cancel context.CancelFunc
}

// newMapRun evaluates what a Map state says about its run.
func newMapRun(e *execution, v *visit, input any) (*mapRun, *failure) {
	s, m := v.scope(input), v.state.dmap
	run := &mapRun{
		service: e.service, parent: e, visit: v, state: m, input: input, label: m.label, id: uuid.NewString(), start: now(),
		wake: make(chan struct{}, 1), status: running, counts: map[string]int64{}, active: map[*execution]struct{}{},
	}
	var f *failure
	if run.concurrency, f = m.concurrency.of(s); f != nil {
		return nil, f
	}
	tolerated, f := m.tolerated.of(s)
	if f != nil {
		return nil, f
	}
	if tolerated >= 0 {
		run.tolerated = &tolerated
	}
	percentage, f := m.percentage.of(s)
	if f != nil {
		return nil, f
	}
	if m.percentage.set {
		run.percentage = &percentage
	}
	if m.writer != nil {
		if run.bucket, run.prefix, f = destination(m.writer, s); f != nil {
			return nil, f
		}
	}
	if m.reader != nil {
		if run.object, f = m.reader.object(s); f != nil {
			return nil, f
		}
	}
	return run, nil
}

func (r *mapRun) arn() string {
	return r.service.arn("mapRun", r.parent.machine.name+"/"+r.label+":"+r.id)
}

// do runs the children and gives the Map's result. It returns aborted when the run was ended from outside.
func (r *mapRun) do(ctx context.Context) (any, *failure) {
	runCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	r.cancel = cancel
	r.mu.Unlock()
	items := make(chan item, queuedItems)
	r.working.Go(func() { r.read(runCtx, items) })
	r.dispatch(runCtx, items)
	r.working.Wait()
	if ctx.Err() != nil {
		return nil, aborted
	}
	r.mu.Lock()
	f := r.failure
	r.mu.Unlock()
	var result any
	if r.state.writer != nil {
		// A run that failed writes the results it has.
		written, writeFailure := r.write(ctx)
		if f == nil {
			result, f = written, writeFailure
		}
	} else if f == nil {
		result, f = r.collect()
	}
	if ctx.Err() != nil {
		return nil, aborted
	}
	return result, f
}

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

// fail ends the run as failed, once, and aborts the children that still run.
func (r *mapRun) fail(f *failure) {
	r.mu.Lock()
	if r.failure != nil || r.status != running {
		r.mu.Unlock()
		return
	}
	r.failure = f
	active := r.activeChildren()
	r.mu.Unlock()
	r.cancel()
	for _, child := range active {
		child.end(stopped, "", nil)
	}
}

// abort ends the run because its parent ended.
func (r *mapRun) abort() {
	r.mu.Lock()
	if r.status != running {
		r.mu.Unlock()
		return
	}
	r.status, r.stop = stopped, now()
	active := r.activeChildren()
	r.mu.Unlock()
	for _, child := range active {
		child.end(stopped, "", nil)
	}
	r.service.trim(r)
}

func (r *mapRun) activeChildren() []*execution {
	active := make([]*execution, 0, len(r.active))
	for child := range r.active {
		active = append(active, child)
	}
	return active
}

// finish closes the run.
func (r *mapRun) finish(status string) {
	r.mu.Lock()
	if r.status == running {
		r.status, r.stop = status, now()
	}
	r.outputs = nil
	r.mu.Unlock()
	r.service.trim(r)
}

// collect is the Map's result without a ResultWriter: the children's outputs in the order of the items. Where a child
// failed within the tolerated number, what the API shows of it stands there.
func (r *mapRun) collect() (any, *failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var text strings.Builder
	text.WriteByte('[')
	for i, output := range r.outputs {
		if i > 0 {
			text.WriteByte(',')
		}
		if output == "" {
			output = encode(r.children[i].record())
		}
		text.WriteString(output)
		if text.Len() > maxPayloadBytes {
			return nil, tooLarge(r.visit.state.name)
		}
	}
	text.WriteByte(']')
	r.written = int64(len(r.outputs))
	result, err := decode([]byte(text.String()))
	if err != nil {
		return nil, failf(errRuntime, "collecting the outputs of the Map: %v", err)
	}
	return result, nil
}

// item is one item of a Map, or why there are no more.
type item struct {
	data    json.RawMessage
	failure *failure
}
