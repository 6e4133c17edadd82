// Package lambda runs Lambda functions as processes on this machine, behind the API of AWS Lambda.
//
// An execution environment is one process, which speaks the real Runtime API (2018-06-01) and registers through the real
// Extensions API (2020-01-01), so the binaries are those that are deployed. Environments are frozen between invocations,
// reused most recently used first, and ended, throttled and timed out as AWS documents it:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
//
// It is a development runtime. It differs from AWS knowingly in this: a failed init is not tried a second time within
// the same invocation; memory is measured, not limited; environments are recycled only on demand; extensions may
// register, but for no events.
package lambda

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Limits of AWS Lambda. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	defaultTimeout     = 3 * time.Second
	maxTimeout         = 15 * time.Minute
	defaultMemorySize  = 128 // MB
	defaultConcurrency = 1000
	minUnreserved      = 100              // of the account's concurrency, when any of it is reserved
	initLimit          = 10 * time.Second // for everything before the first call of next
	shutdownGrace      = 500 * time.Millisecond
	maxRequest         = 6 << 20     // bytes
	maxEvent           = 1 << 20     // bytes, of an asynchronous invocation
	maxResponse        = 6<<20 + 100 // bytes
	version            = "$LATEST"
)

// Config describes the functions of one account in one region.
type Config struct {
	Functions    []Function
	Region       string       // default us-east-1
	Account      string       // default 000000000000
	LogDirectory string       // gets <function>.log, appended to; "" keeps no logs
	Logger       *slog.Logger // told of environments started and ended; nil means none
	Concurrency  int          // concurrent invocations of the account; default 1000
}

// Function is one Lambda function.
type Function struct {
	Name                string
	Binary              string            // the executable ("bootstrap"); read at every cold start
	Environment         map[string]string // nothing else of our own environment reaches the function
	Timeout             time.Duration     // default 3 s, at most 15 min
	MemorySize          int               // in MB, default 128; told to the function, not enforced
	ReservedConcurrency *int              // nil: the function shares what no other reserved; 0: switched off
}

// Service is the Lambda service. It is an http.Handler for the Lambda API.
type Service struct {
	config    Config
	logger    *slog.Logger
	spawner   *spawner
	functions map[string]*function
	order     []*function
	unclaimed int           // concurrency that no function reserved
	initLimit time.Duration // shortened by tests
	stopping  context.Context
	stop      context.CancelFunc

	mu      sync.Mutex // guards everything below, and the fields of functions
	closed  bool
	cutOff  bool          // Close has run out of patience
	shared  int           // running invocations of functions without reservation
	running int           // running invocations
	drained chan struct{} // closed when closed and running is 0
}

// New checks the configuration and returns a service without any environment: each starts when it is needed.
func New(config Config) (*Service, error) {
	if config.Region == "" {
		config.Region = "us-east-1"
	}
	if config.Account == "" {
		config.Account = "000000000000"
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Concurrency == 0 {
		config.Concurrency = defaultConcurrency
	}
	s := &Service{
		config:    config,
		logger:    config.Logger,
		functions: map[string]*function{},
		unclaimed: config.Concurrency,
		initLimit: initLimit,
		drained:   make(chan struct{}),
	}
	if config.LogDirectory != "" {
		if err := os.MkdirAll(config.LogDirectory, 0o755); err != nil {
			return nil, err
		}
	}
	for _, definition := range config.Functions {
		if err := s.add(definition); err != nil {
			s.closeLogs()
			return nil, err
		}
	}
	if s.unclaimed < config.Concurrency && s.unclaimed < minUnreserved {
		s.closeLogs()
		return nil, fmt.Errorf("the functions reserve %d of the account's concurrency of %d: Lambda keeps at least %d unreserved",
			config.Concurrency-s.unclaimed, config.Concurrency, minUnreserved)
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.spawner = newSpawner()
	return s, nil
}

func (s *Service) add(definition Function) error {
	if definition.Timeout == 0 {
		definition.Timeout = defaultTimeout
	}
	if definition.MemorySize == 0 {
		definition.MemorySize = defaultMemorySize
	}
	info, err := os.Stat(definition.Binary)
	switch reserved := definition.ReservedConcurrency; {
	case definition.Name == "":
		return fmt.Errorf("a Lambda function needs a name (binary %s)", definition.Binary)
	case s.functions[definition.Name] != nil:
		return fmt.Errorf("function %s is defined twice", definition.Name)
	case err != nil:
		return fmt.Errorf("function %s: %w", definition.Name, err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("function %s: %s is not an executable file", definition.Name, definition.Binary)
	case definition.Timeout < time.Second || definition.Timeout > maxTimeout:
		return fmt.Errorf("function %s: timeout %s is not between 1s and %s", definition.Name, definition.Timeout, maxTimeout)
	case reserved != nil && *reserved < 0:
		return fmt.Errorf("function %s: reserved concurrency %d is negative", definition.Name, *reserved)
	}
	if definition.Binary, err = filepath.Abs(definition.Binary); err != nil {
		return err
	}
	f := &function{
		Function:     definition,
		service:      s,
		environments: map[*environment]bool{},
		arn:          fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", s.config.Region, s.config.Account, definition.Name),
	}
	if s.config.LogDirectory != "" {
		name := filepath.Join(s.config.LogDirectory, definition.Name+".log")
		if f.log, err = os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return err
		}
	}
	if definition.ReservedConcurrency != nil {
		s.unclaimed -= *definition.ReservedConcurrency
	}
	s.functions[definition.Name] = f
	s.order = append(s.order, f)
	return nil
}

func (s *Service) closeLogs() {
	for _, f := range s.order {
		if f.log != nil {
			f.log.Close()
		}
	}
}

// Close refuses new invocations, drops asynchronous ones that wait for another attempt, waits for the running ones until
// the context is done, and then shuts all environments down as Lambda does: SIGTERM where an extension was
// registered, 500 ms, SIGKILL. It returns the context's error if invocations had to be cut off.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	if s.running == 0 {
		close(s.drained)
	}
	s.mu.Unlock()
	s.stop()

	var err error
	select {
	case <-s.drained:
	case <-ctx.Done():
		err = fmt.Errorf("closing the Lambda service while functions are running: %w", context.Cause(ctx))
	}
	if err != nil {
		s.mu.Lock()
		s.cutOff = true
		s.mu.Unlock()
		s.shutDown(everyone)
		<-s.drained
	}
	s.shutDown(everyone)
	s.spawner.close()
	s.closeLogs()
	return err
}

// Recycle shuts down all environments that run no invocation, gracefully, as Lambda does with every environment from
// time to time; also those that Redeploy left lingering.
func (s *Service) Recycle() {
	s.shutDown(func(e *environment) bool { return !e.busy })
}

// Redeploy makes every later invocation start in new environments. As on AWS, old ones finish what they run and then
// linger, frozen, holding what they hold (connections), until Recycle or Close.
func (s *Service) Redeploy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.order {
		f.idle = nil
		for e := range f.environments {
			e.retired = true
		}
	}
}

// KillAll ends all environments at once by SIGKILL. Running invocations fail with Runtime.ExitError.
func (s *Service) KillAll() {
	for _, e := range s.claim(everyone) {
		e.kill()
		<-e.exited
	}
}

func everyone(*environment) bool { return true }

func (s *Service) shutDown(which func(*environment) bool) {
	var group sync.WaitGroup
	for _, e := range s.claim(which) {
		group.Go(e.shutDown)
	}
	group.Wait()
}

// claim returns the environments that the caller is going to end, so that no invocation is given to them any more.
func (s *Service) claim(which func(*environment) bool) []*environment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var claimed []*environment
	for _, f := range s.order {
		for e := range f.environments {
			if which(e) {
				f.retire(e)
				claimed = append(claimed, e)
			}
		}
	}
	return claimed
}
