package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// process is a child process that somebody waits for.
type process struct {
	command *exec.Cmd
	exited  chan struct{} // closed when the process is gone
}

// spawn starts a program of PostgreSQL as the owner, with its output in the log. It gets a process group of its own, so
// that Ctrl-C reaches this process only, which then stops the Lambda functions before the database.
func (s *Server) spawn(log *os.File, program string, arguments ...string) (*process, error) {
	command := exec.Command(filepath.Join(s.binaries, program), arguments...)
	command.Dir = s.base
	command.Env = environment()
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.owner.credential()}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("running %s: %w", program, err)
	}
	p := &process{command: command, exited: make(chan struct{})}
	go func() {
		defer close(p.exited)
		_ = command.Wait() // failure reports it
	}()
	if err := s.watchdog.watch(p.pid()); err != nil {
		p.signal(immediateShutdown)
		<-p.exited
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

func (p *process) signal(signal syscall.Signal) {
	_ = p.command.Process.Signal(signal) // fails only when the process is gone already
}

// wait waits for the end of the process, or ends it with the context.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.signal(syscall.SIGTERM)
		<-p.exited
		return context.Cause(ctx)
	}
	if p.command.ProcessState.Success() {
		return nil
	}
	return p.failure()
}

// failure tells how the process ended; to be called after exited is closed.
func (p *process) failure() error { return errors.New(p.command.ProcessState.String()) }

// environment is ours without what would change the server behind our back (PGDATA, PGPORT, PGOPTIONS, ...).
func environment() []string {
	ours := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "PG") || strings.HasPrefix(variable, "LC_") || strings.HasPrefix(variable, "LANG")
	})
	return append(ours, "LC_ALL=C")
}

func (s *Server) openLog() (*os.File, error) {
	return os.OpenFile(filepath.Join(s.base, "postgres.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
}

// logTail returns the last lines of the server's log, to end an error message with.
func (s *Server) logTail() string {
	data, err := os.ReadFile(filepath.Join(s.base, "postgres.log"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return "; its log ends with:\n" + strings.Join(lines[max(0, len(lines)-8):], "\n")
}
