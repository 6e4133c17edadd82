package stepfunctions

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Statuses of executions and Map Runs.
const (
	running   = "RUNNING"
	succeeded = "SUCCEEDED"
	failed    = "FAILED"
	timedOut  = "TIMED_OUT"
	stopped   = "ABORTED"
)

// execution is one execution of a state machine, or one child of a Map Run.
type execution struct {
	service *Service
	machine *machine
	program *program
	// run and index are set for a child.
	run   *mapRun
	index int
	// number orders executions by their start, from 1.
	number int64
	name   string
	start  time.Time
	cancel context.CancelCauseFunc

	mu sync.Mutex
	// input and output are JSON. Those of a child that ended stand only in its history.
	input, output string
	status        string
	stop          time.Time
	failure       *failure
	history       history
	// open is the Map Run that the execution waits for.
	open *mapRun
}

var (
	errStopped          = errors.New("the execution was stopped")
	errExecutionTimeout = errors.New("the execution's TimeoutSeconds is over")
	errHistoryFull      = errors.New("the history is full")
)

func (e *execution) arn() string {
	if e.run != nil {
		return e.service.arn("execution", e.machine.name+"/"+e.run.label+":"+e.name)
	}
	return e.service.arn("execution", e.machine.name+":"+e.name)
}

func (e *execution) machineARN() string {
	if e.run != nil {
		return e.machine.arn + "/" + e.run.label
	}
	return e.machine.arn
}

// begin records the start. It must be called once, before anything else sees the execution.
func (e *execution) begin(input string) {
	e.start, e.status, e.input = e.service.now(), running, input
	e.history.add(event{kind: executionStarted, at: e.start, data: input})
	// The first state's previous event is 0, not ExecutionStarted.
	e.history.last = 0
}

// add appends an event to the history and gives its id; 0 if the execution has ended. When only the place of the last
// event is left, the execution is made to fail: AWS keeps no more than maxHistoryEvents.
func (e *execution) add(ev event) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status != running {
		return 0
	}
	if e.history.count >= maxHistoryEvents-1 {
		e.cancel(errHistoryFull)
		return 0
	}
	ev.at = e.service.now()
	return e.history.add(ev)
}

// follow makes the next event's previous event the one with this id.
func (e *execution) follow(id int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.history.last = id
}

// end closes the execution, once: the first caller decides. It tells whether this call did.
func (e *execution) end(status, output string, f *failure) bool {
	e.mu.Lock()
	if e.status != running {
		e.mu.Unlock()
		return false
	}
	e.status, e.stop, e.output, e.failure = status, e.service.now(), output, f
	last := event{kind: executionSucceeded, at: e.stop, data: output, failed: f}
	switch status {
	case failed:
		last.kind = executionFailed
	case timedOut:
		last.kind = executionTimedOut
	case stopped:
		last.kind = executionAborted
	}
	if status == timedOut || status == stopped {
		if e.open != nil && e.history.count < maxHistoryEvents-1 {
			e.history.add(event{kind: mapRunAborted, at: e.stop})
		}
		e.history.last = 0
	}
	e.history.add(last)
	open := e.open
	var dict *dictionary
	if e.run != nil {
		dict = &e.run.dict
		e.input, e.output = "", ""
	}
	e.history.pack(dict)
	e.mu.Unlock()

	if open != nil {
		open.abort()
	}
	if e.run == nil && status != succeeded {
		e.service.announce(e, status)
	}
	e.cancel(errStopped)
	if e.run != nil {
		e.run.childEnded(e, status, output)
		return true
	}
	log := e.service.log.With("execution", e.name, "status", status)
	if f != nil {
		log = log.With("error", f.name, "cause", f.cause)
	}
	log.Info("execution ended")
	return true
}

// snapshot is what the API shows of an execution.
type snapshot struct {
	status        string
	stop          time.Time
	input, output string
	failure       *failure
}

func (e *execution) snapshot() snapshot {
	e.mu.Lock()
	s := snapshot{e.status, e.stop, e.input, e.output, e.failure}
	ended := e.run != nil && e.status != running
	e.mu.Unlock()
	if ended {
		events := e.history.events()
		s.input, s.output = events[0].data, events[len(events)-1].data
	}
	return s
}

func (e *execution) currentStatus() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// events is a copy of the history so far.
func (e *execution) events() []event {
	e.mu.Lock()
	defer e.mu.Unlock()
	events := e.history.events()
	return events[:len(events):len(events)]
}

// interpret runs the program on the input, as JSON and decoded, until the execution ends. ctx is canceled when somebody
// else ended it.
func (e *execution) interpret(ctx context.Context, text string, input any) {
	if e.program.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.program.timeout, errExecutionTimeout)
		defer cancel()
	}
	output, f := e.states(ctx, text, input)
	if ctx.Err() != nil {
		switch cause := context.Cause(ctx); {
		case errors.Is(cause, errExecutionTimeout) && e.run == nil:
			e.end(timedOut, "", nil)
		case errors.Is(cause, errHistoryFull):
			e.end(failed, "", failf(errRuntime, "The execution reached the maximum number of history events (%d).", maxHistoryEvents))
		default:
			e.end(stopped, "", nil)
		}
		return
	}
	if f != nil {
		e.end(failed, "", f)
		return
	}
	e.end(succeeded, output, nil)
}
