package lambda

import (
	"os/exec"
	"runtime"
)

// spawner starts all processes from one OS thread that lives as long as the service: on Linux the parent-death signal
// is sent when the thread that started the process ends, and Go ends threads as it likes.
type spawner struct {
	requests chan func()
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for start := range s.requests {
			start()
		}
	}()
	return s
}

func (s *spawner) start(command *exec.Cmd) error {
	result := make(chan error)
	s.requests <- func() { result <- command.Start() }
	return <-result
}

// close lets go of the thread. All processes must have ended, and none may be started any more.
func (s *spawner) close() { close(s.requests) }
