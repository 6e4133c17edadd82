package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// invocation is one run of a function.
type invocation struct {
	id            string
	payload       []byte
	traceID       string
	clientContext string // JSON
	deadline      time.Time
	result        *result       // guarded by environment.mu; nil until the process has answered
	cut           chan struct{} // gets a token when the invocation is to end as if its time were used up
}

// result is what an invocation gives back.
type result struct {
	payload  []byte
	failed   bool // payload is an error object, and X-Amz-Function-Error is to be set
	timedOut bool
	logs     []byte // the last 4 KiB
}

// failure is a function error that Lambda itself reports.
func failure(errorType, message string) *result {
	payload, _ := json.Marshal(map[string]string{"errorType": errorType, "errorMessage": message}) // strings always marshal
	return &result{payload: payload, failed: true}
}

// invoke runs an admitted invocation to its end. The error is ours, not the function's.
func (f *function) invoke(request *invocation) (outcome result, err error) {
	var e *environment
	defer func() { f.leave(e, outcome) }()
	var initDuration time.Duration
	if e = f.warm(); e == nil {
		begun := time.Now()
		if e, err = f.cold(); err != nil {
			return outcome, err
		}
		e.output.begin(request.id)
		if err := e.initialize(); err != nil {
			outcome = *e.initFailure(request.id, err)
			outcome.logs = e.report(request.id, time.Since(begun), 0)
			return outcome, nil
		}
		initDuration = time.Since(begun)
	} else {
		e.output.begin(request.id)
	}
	begun := time.Now()
	request.deadline = begun.Add(f.Timeout)
	outcome = *e.run(request)
	outcome.logs = e.report(request.id, time.Since(begun), initDuration)
	return outcome, nil
}

// run gives the invocation to the process, and returns when the process asks for the next one, ends, or has used up the
// function's time. What it answered counts even if it ended afterwards: that is how a panic is reported.
func (e *environment) run(request *invocation) *result {
	timer := time.NewTimer(time.Until(request.deadline))
	defer timer.Stop()
	request.cut = make(chan struct{}, 1)
	// Before the invocation is known: Pause stops who has one, and must not be undone.
	e.thaw()
	e.mu.Lock()
	e.current = request
	e.mu.Unlock()

	work, expired := e.work, false
	for {
		select {
		case work <- request:
			work = nil
			continue
		case <-e.polls:
			if !e.answered(request) {
				continue // the runtime lost its connection and asked again
			}
			e.freeze()
		case <-e.exited:
		case <-timer.C:
			expired = true
		case <-request.cut:
			expired = true
		}
		break
	}
	if expired {
		e.kill()
		<-e.exited
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = nil
	switch {
	case request.result != nil:
		return request.result
	case expired:
		return timeout(request.id, e.function.Timeout)
	default:
		return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", request.id, e.exitReason()))
	}
}

func (e *environment) answered(request *invocation) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return request.result != nil
}

func timeout(id string, after time.Duration) *result {
	outcome := failure("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, after.Seconds()))
	outcome.timedOut = true
	return outcome
}

// initFailure ends an environment that never became ready, and says why.
func (e *environment) initFailure(id string, err error) *result {
	e.kill()
	<-e.exited
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.initError != nil:
		return e.initError
	case errors.Is(err, errInitTimeout):
		return timeout(id, e.function.service.initLimit)
	default:
		return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", id, err))
	}
}

// report writes the last lines of an invocation to the log, and returns the log's tail.
func (e *environment) report(id string, duration, initDuration time.Duration) []byte {
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		id, milliseconds(duration), (duration + initDuration + time.Millisecond - 1).Milliseconds(), e.function.MemorySize, e.memory.Load()>>20)
	if initDuration > 0 {
		line += fmt.Sprintf("Init Duration: %.2f ms\t", milliseconds(initDuration))
	}
	return e.output.end(id, line+"\n")
}

func newID() string { return uuid.NewString() }
