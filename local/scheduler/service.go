// Package scheduler is a local Amazon EventBridge Scheduler: its API for schedules, and the invocations that they
// make, by the clock of the local runtime. Its one target is the universal one that starts an execution of Step
// Functions; what else Scheduler can do, it refuses by name.
//
// It differs from AWS knowingly in this: a schedule fires at its second, and not somewhere within its minute; a time
// in the past is refused; the groups come from the configuration. Which errors of a target AWS tries again is not
// documented: here those of the caller (4xx, but for throttling) go to the dead-letter queue at once. A clock that is
// advanced is time that passed with the service up: what fell due in the leap is invoked, and is not late. What fell
// due while the service was down is as late as it is.
package scheduler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanmail/local/clock"
)

// Executions starts executions; the SDK's client does.
type Executions interface {
	StartExecution(ctx context.Context, in *sfn.StartExecutionInput,
		optFns ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
}

// Queues takes dead letters; the SDK's client does.
type Queues interface {
	SendMessage(ctx context.Context, in *sqs.SendMessageInput,
		optFns ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Config describes one account in one region. All fields but Twice and Logger are required.
type Config struct {
	// File keeps the schedules.
	File string
	// Group is the one schedule group.
	Group           string
	Region, Account string
	// Endpoint is what the URLs of queues begin with: <endpoint>/<account>/<name>.
	Endpoint   string
	Executions Executions
	Queues     Queues
	Clock      *clock.Clock
	// Twice, if set, is asked at every delivery: true makes it once more, as the real Scheduler may.
	Twice func(schedule string, due time.Time) bool
	// Logger is told of invocations; nil discards.
	Logger *slog.Logger
}

// Service is a local Scheduler: an http.Handler for its API, safe for concurrent use. Nothing is invoked before Begin.
type Service struct {
	config Config
	log    *slog.Logger
	cancel context.CancelFunc
	ended  sync.WaitGroup

	// mu is held while a target is invoked too, so that what has been deleted is never invoked afterwards.
	mu        sync.Mutex
	schedules map[string]*entry
	// began is when Begin was called: what was due before is late.
	began time.Time
	// wake ends the wait of the loop.
	wake context.CancelFunc
}

// New reads the schedules that there are.
func New(config Config) (*Service, error) {
	s := &Service{config: config, log: config.Logger, schedules: map[string]*entry{}, wake: func() {},
		cancel: func() {}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	text, err := os.ReadFile(config.File)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s.schedules)
	}
	for _, e := range s.schedules {
		if err == nil {
			e.expression, err = e.Definition.expression()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the schedules in %s: %w (remove the file to start without any)",
			config.File, err)
	}
	return s, nil
}

// Begin invokes what is due, from now on until Close.
func (s *Service) Begin() {
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.began, s.cancel = s.config.Clock.Now(), cancel
	s.mu.Unlock()
	s.ended.Go(func() {
		for ctx.Err() == nil {
			wait, wake := context.WithCancel(ctx)
			s.mu.Lock()
			s.wake = wake
			next := s.turn(ctx)
			s.mu.Unlock()
			_ = s.config.Clock.WaitUntil(wait, next) // that it was woken is no failure
			wake()
		}
	})
}

// Close ends the invocations. The schedules stay in the file.
func (s *Service) Close() error {
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.ended.Wait()
	return nil
}

// keep replaces the file in one step. The caller holds mu.
func (s *Service) keep() error {
	text, err := json.MarshalIndent(s.schedules, "", "  ")
	if err != nil {
		return err
	}
	temporary := s.config.File + ".new"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, s.config.File)
}

// sorted are the schedules by name. The caller holds mu.
func (s *Service) sorted() []*entry {
	var all []*entry
	for _, name := range slices.Sorted(maps.Keys(s.schedules)) {
		all = append(all, s.schedules[name])
	}
	return all
}
