package postgres

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// watchdogScript reads process ids, one per line; the last one counts, 0 is none. When its input ends (because this
// process closed it, or died in whatever way) it stops that process and removes the directory $1.
// A process whose parent never reaps it stays visible to kill -0, so the wait is bounded.
const watchdogScript = `
pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ] && kill -QUIT "$pid"; then
	n=0
	while kill -0 "$pid" && [ "$n" -lt 60 ]; do sleep 0.1; n=$((n+1)); done
fi
[ -z "$1" ] || rm -rf -- "$1"
`

// watchdog is a shell that outlives us for a moment, to clean up behind us even after SIGKILL. (The parent-death signal
// of Linux would stop the server, too, but only there, and it would not remove its directory.)
type watchdog struct {
	input  io.WriteCloser
	exited chan struct{} // closed when the shell has ended; err is how
	err    error
}

// startWatchdog starts a watchdog that will remove the given directory; "" means none.
func startWatchdog(remove string) (*watchdog, error) {
	command := exec.Command("/bin/sh", "-c", watchdogScript, "fanmail-postgres-watchdog", remove)
	command.Dir = "/"
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("running the watchdog of PostgreSQL: %w", err)
	}
	w := &watchdog{input: input, exited: make(chan struct{})}
	go func() {
		defer close(w.exited)
		w.err = command.Wait()
		// The garbage collector closes a pipe that nobody refers to, and the watchdog would take that for our end. This
		// goroutine refers to it, so that a server lives on even if its caller has dropped the Server.
		runtime.KeepAlive(input)
	}()
	return w, nil
}

// watch tells which process to stop; 0 is none.
func (w *watchdog) watch(pid int) error {
	if _, err := io.WriteString(w.input, strconv.Itoa(pid)+"\n"); err != nil {
		return fmt.Errorf("the watchdog of PostgreSQL is gone: %w", err)
	}
	return nil
}

// finish lets the watchdog do its work now, and waits for it.
func (w *watchdog) finish() error {
	_ = w.input.Close() // it ends with its input either way
	<-w.exited
	if w.err != nil {
		return fmt.Errorf("cleaning up after PostgreSQL: %w", w.err)
	}
	return nil
}
