package lambda

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
)

// environment is an execution environment: one process with a Runtime API of its own.
type environment struct {
	function *function
	key      string // AWS_ACCESS_KEY_ID: its own, as on AWS
	command  *exec.Cmd
	output   *output
	server   *http.Server
	exited   chan struct{}    // closed when the process is gone
	polls    chan struct{}    // a token for each call of next: the process is done with what it had
	work     chan *invocation // handed to the call of next that waits
	broken   chan struct{}    // closed when the process reported a failed init
	memory   atomic.Int64     // highest resident set seen, in bytes

	busy    bool // guarded by Service.mu
	retired bool // guarded by Service.mu: gets no further invocation
	begun   int  // guarded by Service.mu: invocations so far

	mu         sync.Mutex
	polling    bool
	current    *invocation
	initError  *result
	extensions map[string]bool // by identifier
}

// startEnvironment starts the process of a new environment. It is busy from the start: with its initialization.
func startEnvironment(f *function) (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	out, err := newOutput(f.log)
	if err != nil {
		listener.Close()
		return nil, err
	}
	e := &environment{
		function:   f,
		key:        newAccessKey(),
		output:     out,
		exited:     make(chan struct{}),
		polls:      make(chan struct{}, 1),
		work:       make(chan *invocation),
		broken:     make(chan struct{}),
		busy:       true,
		extensions: map[string]bool{},
	}
	e.server = &http.Server{Handler: e.api(), ReadHeaderTimeout: 10 * time.Second}
	e.command = exec.Command(f.Binary)
	e.command.Dir = filepath.Dir(f.Binary)
	e.command.Env = f.variables(listener.Addr().String(), e.key)
	e.command.Stdout, e.command.Stderr = out.write, out.write
	e.command.SysProcAttr = processAttributes()
	go e.server.Serve(listener)
	if err := f.service.spawner.start(e.command); err != nil {
		e.server.Close()
		out.close()
		return nil, fmt.Errorf("starting an environment of %s: %w", f.Name, err)
	}
	f.service.logger.Debug("Lambda environment started", "function", f.Name, "pid", e.pid())
	go e.reap()
	return e, nil
}

// reap waits for the end of the process and cleans up behind it.
func (e *environment) reap() {
	_ = e.command.Wait() // exitReason tells
	e.noteMemory(exitMemory(e.command.ProcessState))
	// What the process left behind in its group would run on without an environment.
	e.signal(syscall.SIGKILL)
	close(e.exited)
	e.server.Close()
	e.function.service.logger.Debug("Lambda environment ended", "function", e.function.Name, "pid", e.pid(), "state", e.command.ProcessState.String())
}

func (e *environment) pid() int { return e.command.Process.Pid }

// signal reaches the whole process group; an error would only say that it is gone.
func (e *environment) signal(signal syscall.Signal) { _ = syscall.Kill(-e.pid(), signal) }

func (e *environment) gone() bool {
	select {
	case <-e.exited:
		return true
	default:
		return false
	}
}

func (e *environment) freeze() {
	e.noteMemory(residentPeak(e.pid()))
	e.signal(syscall.SIGSTOP)
}

func (e *environment) thaw() { e.signal(syscall.SIGCONT) }

func (e *environment) kill() {
	e.noteMemory(residentPeak(e.pid()))
	e.signal(syscall.SIGKILL)
}

// shutDown is Lambda's Shutdown phase: time to end only for a process that registered an extension.
func (e *environment) shutDown() {
	e.thaw()
	e.mu.Lock()
	graceful := len(e.extensions) > 0
	e.mu.Unlock()
	if graceful {
		e.signal(syscall.SIGTERM)
		select {
		case <-e.exited:
		case <-time.After(shutdownGrace):
		}
	}
	e.kill()
	<-e.exited
}

func (e *environment) noteMemory(bytes int64) {
	for {
		seen := e.memory.Load()
		if bytes <= seen || e.memory.CompareAndSwap(seen, bytes) {
			return
		}
	}
}

// peakMemory is the highest resident set of the process, in bytes, 0 where the system does not tell.
func (e *environment) peakMemory() int64 {
	if !e.gone() {
		e.noteMemory(residentPeak(e.pid()))
	}
	return e.memory.Load()
}

// exitReason says how the process ended, as Lambda words it; to be called after exited is closed.
func (e *environment) exitReason() string {
	if e.command.ProcessState.Success() {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + e.command.ProcessState.String()
}

// variables are the environment variables that Lambda defines for an OS-only runtime, over those of the function.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func (f *function) variables(runtimeAPI, accessKey string) []string {
	variables := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin:/opt/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
	}
	for name, value := range f.Environment {
		variables = append(variables, name+"="+value)
	}
	return append(variables,
		"_HANDLER=bootstrap",
		"AWS_REGION="+f.service.config.Region,
		"AWS_DEFAULT_REGION="+f.service.config.Region,
		"AWS_ACCESS_KEY_ID="+accessKey,
		"AWS_SECRET_ACCESS_KEY="+rand.Text(),
		"AWS_SESSION_TOKEN="+rand.Text(),
		"AWS_LAMBDA_FUNCTION_NAME="+f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION="+version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(f.MemorySize),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME="+time.Now().UTC().Format("2006/01/02")+"/["+version+"]"+uuid.NewString(),
		"AWS_LAMBDA_RUNTIME_API="+runtimeAPI,
		"LAMBDA_TASK_ROOT="+filepath.Dir(f.Binary),
		"LAMBDA_RUNTIME_DIR=/var/runtime",
	)
}

var errInitTimeout = errors.New("init took too long")

// initialize waits until the process asks for its first invocation.
func (e *environment) initialize() error {
	timer := time.NewTimer(e.function.service.initLimit)
	defer timer.Stop()
	select {
	case <-e.polls:
		return nil
	case <-e.broken:
		return errors.New("the runtime reported a failed init")
	case <-e.exited:
		return errors.New(e.exitReason())
	case <-timer.C:
		return errInitTimeout
	}
}
