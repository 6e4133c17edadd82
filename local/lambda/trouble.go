package lambda

import (
	"cmp"
	"crypto/rand"
	"slices"
	"syscall"
	"time"
)

// Environment is a living execution environment, to be seen and troubled from outside.
type Environment struct {
	Function string // its name
	// AccessKey is AWS_ACCESS_KEY_ID of the environment, which no other has: AWS calls tell by it where they come from.
	AccessKey   string
	PID         int
	Busy        bool // starting, or running an invocation
	Invocations int  // begun so far
}

// Environments are those whose process lives now, by function and access key.
func (s *Service) Environments() []Environment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Environment
	for _, f := range s.order {
		for e := range f.environments {
			if !e.gone() {
				all = append(all, Environment{Function: f.Name, AccessKey: e.key, PID: e.pid(), Busy: e.busy, Invocations: e.begun})
			}
		}
	}
	slices.SortFunc(all, func(a, b Environment) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.AccessKey, b.AccessKey))
	})
	return all
}

// Kill ends an environment by SIGKILL, paused or not, and returns when it is gone. A running invocation that was not answered fails
// with Runtime.ExitError. It tells whether there was such an environment.
func (s *Service) Kill(accessKey string) bool {
	claimed := s.claim(func(e *environment) bool { return e.key == accessKey && !e.gone() })
	for _, e := range claimed {
		e.kill()
		<-e.exited
	}
	return len(claimed) > 0
}

// TimeOut ends the running invocation of an environment now, as if the function's timeout had passed: it fails with
// Sandbox.Timedout, unless it was answered in the same moment, and the process is killed. It does not wait for that. It tells
// whether there was an invocation; an environment that still starts has none.
func (s *Service) TimeOut(accessKey string) bool {
	e := s.environment(accessKey)
	if e == nil {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return false
	}
	select {
	case e.current.cut <- struct{}{}:
	default: // it was told already
	}
	return true
}

// Pause stops an environment that runs an invocation, by SIGSTOP, and returns when nothing of the process runs any more (on
// Linux; elsewhere only a moment after the signal). Whoever pauses must Kill or Resume; else the function's timeout ends it. It
// tells whether the environment stands still.
func (s *Service) Pause(accessKey string) bool {
	e := s.environment(accessKey)
	if e == nil {
		return false
	}
	// While mu is held, the invocation can't end, after which the environment would be somebody else's to freeze and thaw.
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.result != nil {
		return false
	}
	e.signal(syscall.SIGSTOP)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for giveUp := time.After(stopLimit); !e.gone(); {
		if standsStill(e.pid()) {
			return true
		}
		select {
		case <-ticker.C:
		case <-e.exited:
		case <-giveUp: // a process that is stuck in the kernel; it stops when it comes back
			e.thaw()
			return false
		}
	}
	return false
}

// stopLimit bounds the wait of Pause.
const stopLimit = 5 * time.Second

// Resume lets a paused environment go on. An environment that has no invocation is left alone: it is frozen for another reason.
func (s *Service) Resume(accessKey string) {
	e := s.environment(accessKey)
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != nil {
		e.thaw()
	}
}

// environment finds a living one; nil if there is none.
func (s *Service) environment(accessKey string) *environment {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.order {
		for e := range f.environments {
			if e.key == accessKey && !e.gone() {
				return e
			}
		}
	}
	return nil
}

// newAccessKey looks like the key of temporary credentials.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func newAccessKey() string { return "ASIA" + rand.Text()[:16] }
