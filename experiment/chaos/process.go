package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a running `fanmail local`.
type process struct {
	command *exec.Cmd
	// stdout and stderr are files.
	stdout, stderr string
	watchdog       io.WriteCloser
	// exited is closed when the process is gone, and its watchdog disarmed.
	exited chan struct{}
}

// watchdogScript ends the process $1 when its input ends without a line: then the experiment itself has died.
const watchdogScript = `read -r line || kill -TERM "$1"`

// launch starts a program with its output in files name.out and name.err of directory. It has a process group of its own, so
// that Ctrl-C reaches the experiment only, which then ends it.
func launch(program string, arguments, environment []string, directory, name string) (*process, error) {
	p := &process{
		stdout: filepath.Join(directory, name+".out"), stderr: filepath.Join(directory, name+".err"), exited: make(chan struct{}),
	}
	stdout, err := os.Create(p.stdout)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(p.stderr)
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p.command = exec.Command(program, arguments...)
	p.command.Env, p.command.Stdout, p.command.Stderr = environment, stdout, stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("running %s: %w", program, err)
	}
	watchdog := exec.Command("/bin/sh", "-c", watchdogScript, "chaos-watchdog", fmt.Sprint(p.command.Process.Pid))
	watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.watchdog, err = watchdog.StdinPipe(); err == nil {
		err = watchdog.Start()
	}
	if err != nil {
		p.watchdog = nil
	}
	go func() {
		defer close(p.exited)
		_ = p.command.Wait() // ended tells how
		// From now on the pid may be another's.
		p.disarm()
	}()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("running a watchdog: %w", err), p.stop())
	}
	go func() { _ = watchdog.Wait() }()
	return p, nil
}

// awaitReady waits for the runtime's last line and returns the variables that it exports.
func (p *process) awaitReady(ctx context.Context) (map[string]string, error) {
	for {
		text, err := os.ReadFile(p.stdout)
		if err != nil {
			return nil, err
		}
		if variables, ready := exports(string(text)); ready {
			return variables, nil
		}
		select {
		case <-p.exited:
			return nil, fmt.Errorf("the runtime did not come up: %s: %s", p.ended(), tail(p.stderr, 5))
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the runtime to come up: %w: %s", context.Cause(ctx), tail(p.stderr, 5))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// exports reads the lines `export NAME=VALUE`, and whether the line that the runtime is ready has come.
func exports(text string) (variables map[string]string, ready bool) {
	variables = map[string]string{}
	for line := range strings.Lines(text) {
		if assignment, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "export "); ok {
			name, value, _ := strings.Cut(assignment, "=")
			variables[name] = value
		}
		ready = ready || strings.HasPrefix(line, "# ready") && strings.HasSuffix(line, "\n")
	}
	return variables, ready
}

// kill ends the process as a machine that fails does, and waits for that.
func (p *process) kill() {
	_ = p.command.Process.Kill() // fails only when it is gone already
	<-p.exited
}

// stop asks the process to end, and waits for that. An error tells that it did not end well.
func (p *process) stop() error {
	if p.isGone() {
		return nil
	}
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		_ = p.command.Process.Kill()
		<-p.exited
		return fmt.Errorf("the runtime did not stop within 30 s and was killed: %s", tail(p.stderr, 5))
	}
	if !p.command.ProcessState.Success() {
		return fmt.Errorf("the runtime ended badly: %s: %s", p.ended(), tail(p.stderr, 5))
	}
	return nil
}

// disarm ends the watchdog.
func (p *process) disarm() {
	if p.watchdog != nil {
		_, _ = io.WriteString(p.watchdog, "disarmed\n")
		_ = p.watchdog.Close()
	}
}

func (p *process) isGone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// ended tells how the process ended; to be called after exited is closed.
func (p *process) ended() string { return p.command.ProcessState.String() }

// tail is the last n lines of a file.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
