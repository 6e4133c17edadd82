package lambda

import (
	"fmt"
	"os"
	"slices"
)

// function is a function and its environments. Service.mu guards its fields.
type function struct {
	Function
	service      *Service
	arn          string
	log          *os.File // nil: none
	environments map[*environment]bool
	idle         []*environment // frozen, ready for an invocation; the most recently used is last
	stats        Stats
	refusal      refusal // of the next refused invocations
	refused      int
}

// Stats are the counts of one function since the service was made.
type Stats struct {
	Started         int   // environments started: cold starts
	Live            int   // environments whose process lives now
	Warm            int   // of these, frozen and ready for the next invocation
	Busy            int   // of these, starting or running an invocation
	PeakConcurrency int   // largest number of Busy ever seen
	Invocations     int   // invocations begun
	Throttles       int   // invocations refused with 429
	Errors          int   // invocations that ended with a function error, timeouts among them
	Timeouts        int   // invocations that ran out of time
	PeakMemory      int64 // largest resident set of one environment, in bytes
}

// Stats returns the counts of every function by its name.
func (s *Service) Stats() map[string]Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := make(map[string]Stats, len(s.order))
	for _, f := range s.order {
		for e := range f.environments {
			f.stats.PeakMemory = max(f.stats.PeakMemory, e.peakMemory())
		}
		f.stats.Live = len(f.environments)
		f.stats.Warm = len(f.idle)
		stats[f.Name] = f.stats
	}
	return stats
}

// throttle is why an invocation was refused: a value of Reason in TooManyRequestsException.
type throttle string

const (
	reservedExceeded throttle = "ReservedFunctionConcurrentInvocationLimitExceeded"
	accountExceeded  throttle = "ConcurrentInvocationLimitExceeded"
)

func (t throttle) Error() string { return string(t) }

// errClosed refuses invocations after Close.
var errClosed = fmt.Errorf("the local Lambda service has been closed")

// admit takes a place for one invocation, or says why there is none.
func (f *function) admit() error {
	s := f.service
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errClosed
	case f.refused > 0:
		f.refused--
		return f.refusal
	case f.ReservedConcurrency != nil && f.stats.Busy >= *f.ReservedConcurrency:
		f.stats.Throttles++
		return reservedExceeded
	case f.ReservedConcurrency == nil && s.shared >= s.unclaimed:
		f.stats.Throttles++
		return accountExceeded
	}
	if f.ReservedConcurrency == nil {
		s.shared++
	}
	s.running++
	f.stats.Busy++
	f.stats.Invocations++
	f.stats.PeakConcurrency = max(f.stats.PeakConcurrency, f.stats.Busy)
	return nil
}

// leave gives back the place that admit took, and the environment, if it can be used again.
func (f *function) leave(e *environment, result result) {
	s := f.service
	s.mu.Lock()
	defer s.mu.Unlock()
	f.stats.Busy--
	if result.failed {
		f.stats.Errors++
	}
	if result.timedOut {
		f.stats.Timeouts++
	}
	if e != nil {
		e.busy = false
		if !f.environments[e] {
			e.output.close()
		} else if !e.retired && !e.gone() {
			f.idle = append(f.idle, e)
		}
	}
	if f.ReservedConcurrency == nil {
		s.shared--
	}
	if s.running--; s.running == 0 && s.closed {
		close(s.drained)
	}
}

// warm returns the most recently used idle environment, nil if there is none.
func (f *function) warm() *environment {
	f.service.mu.Lock()
	defer f.service.mu.Unlock()
	for last := len(f.idle) - 1; last >= 0; last-- {
		e := f.idle[last]
		f.idle = f.idle[:last]
		if !e.gone() {
			e.busy = true
			e.begun++
			return e
		}
	}
	return nil
}

// cold starts a new environment, not yet initialized.
func (f *function) cold() (*environment, error) {
	e, err := startEnvironment(f)
	if err != nil {
		return nil, err
	}
	s := f.service
	s.mu.Lock()
	f.environments[e] = true
	f.stats.Started++
	e.begun++
	if s.cutOff {
		e.kill()
	}
	s.mu.Unlock()
	go func() {
		<-e.exited
		s.mu.Lock()
		defer s.mu.Unlock()
		f.retire(e)
		delete(f.environments, e)
		if !e.busy {
			e.output.close() // else leave does, when the last line is written
		}
		f.stats.PeakMemory = max(f.stats.PeakMemory, e.peakMemory())
	}()
	return e, nil
}

// retire makes sure that an environment gets no further invocation. The caller holds Service.mu.
func (f *function) retire(e *environment) {
	e.retired = true
	f.idle = slices.DeleteFunc(f.idle, func(idle *environment) bool { return idle == e })
}
