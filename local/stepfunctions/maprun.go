package stepfunctions

import (
	"context"
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
		service: e.service, parent: e, visit: v, state: m, input: input, label: m.label, id: uuid.NewString(), start: e.service.now(),
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
	r.status, r.stop = stopped, r.service.now()
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
		r.status, r.stop = status, r.service.now()
	}
	r.outputs, r.array = nil, nil
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
