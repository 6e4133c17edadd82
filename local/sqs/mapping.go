package sqs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Limits of Lambda's event source mappings.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	maxBatch       = 10_000
	maxWindow      = 5 * time.Minute
	maxConcurrency = 1000
)

// The pause after an invocation that failed or was throttled doubles with each one in a row. AWS documents that there is one, not
// how long it is.
const (
	firstPause = 100 * time.Millisecond
	longPause  = 5 * time.Second
)

// ErrThrottled is for Mapping.Invoke to return, wrapped or not, when Lambda refused to start the function. The same batch is then
// tried again until its messages are visible again, as on AWS; they have been received once more then, which counts towards
// MaxReceiveCount.
var ErrThrottled = errors.New("the function was throttled")

// Mapping makes a function consume a queue, as an event source mapping of Lambda does.
type Mapping struct {
	// Queue is the name of the queue, Function that of the function, for the log.
	Queue, Function string
	// BatchSize is the most messages of one invocation, 1 to 10,000. Its event has at most 6 MB.
	BatchSize int
	// Window is how long to wait for a batch to fill, from its first message on: up to 5 minutes. AWS demands at least a second
	// when BatchSize is above 10; here it is not demanded.
	Window time.Duration
	// MaximumConcurrency is the most invocations at a time: up to 1000. AWS wants at least 2; here 1 is allowed.
	MaximumConcurrency int
	// ReportBatchItemFailures reads the response for the messages that failed. Without it, a batch succeeds or fails as one.
	ReportBatchItemFailures bool
	// Invoke runs the function on an event and returns its response. An error means that it failed, or with ErrThrottled that it
	// did not start. The context ends when the service is closed.
	Invoke func(ctx context.Context, payload []byte) ([]byte, error)
}

func (m Mapping) check() error {
	switch {
	case m.Invoke == nil:
		return errors.New("there is no Invoke")
	case m.BatchSize < 1 || m.BatchSize > maxBatch:
		return fmt.Errorf("the batch size is %d, want 1 to %d", m.BatchSize, maxBatch)
	case m.Window < 0 || m.Window > maxWindow:
		return fmt.Errorf("the batching window is %v, want up to %v", m.Window, maxWindow)
	case m.MaximumConcurrency < 1 || m.MaximumConcurrency > maxConcurrency:
		return fmt.Errorf("the maximum concurrency is %d, want 1 to %d", m.MaximumConcurrency, maxConcurrency)
	}
	return nil
}

// Map starts an event source mapping, which ends at Close.
func (s *Service) Map(m Mapping) error {
	q, err := s.queue(m.Queue)
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return fmt.Errorf("mapping the queue %s to %s: %w", m.Queue, m.Function, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("mapping the queue %s to %s: %w", m.Queue, m.Function, errClosed)
	}
	running := &mapping{Mapping: m, service: s, queue: q, slots: make(chan struct{}, m.MaximumConcurrency)}
	s.mappings.Go(func() { running.run(s.closing) })
	return nil
}

// mapping is a running Mapping. One goroutine collects batches; each invocation has its own.
type mapping struct {
	Mapping
	service *Service
	queue   *queue
	slots   chan struct{} // holds one token per running invocation

	mu   sync.Mutex
	bad  int       // pauses in a row
	rest time.Time // no new batch is begun before
}

func (m *mapping) run(ctx context.Context) {
	var invocations sync.WaitGroup
	defer invocations.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case m.slots <- struct{}{}:
		}
		if !m.pause(ctx) {
			return
		}
		b := m.collect(ctx)
		if b == nil {
			return
		}
		invocations.Go(func() {
			defer func() { <-m.slots }()
			m.process(ctx, b)
		})
	}
}

// pause waits while the mapping rests after failures. It returns false when the context is done.
func (m *mapping) pause(ctx context.Context) bool {
	for {
		m.mu.Lock()
		left := time.Until(m.rest)
		m.mu.Unlock()
		if left <= 0 {
			return ctx.Err() == nil
		}
		if !sleep(ctx, left) {
			return false
		}
	}
}

// sleep returns false when the context is done first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// failed makes the mapping rest, and returns for how long. Invocations that fail together count as one.
func (m *mapping) failed() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if left := time.Until(m.rest); left > 0 {
		return left
	}
	pause := pauseAfter(m.bad)
	m.bad++
	m.rest = time.Now().Add(pause)
	return pause
}

func (m *mapping) succeeded() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bad, m.rest = 0, time.Time{}
}

// pauseAfter is the pause after so many failures before this one.
func pauseAfter(before int) time.Duration {
	return min(longPause, firstPause<<min(before, 20))
}

// collect receives until the batch is full or its window is over. It returns nil when the context is done; what it had is
// then visible again at once.
func (m *mapping) collect(ctx context.Context) *batch {
	s, b := m.service, newBatch(m.queue, m.BatchSize)
	var until time.Time
	for {
		before := b.size()
		news, err := s.receive(m.queue, m.BatchSize-len(b.receipts), m.queue.VisibilityTimeout, func(message *message) bool { return b.add(s, message) })
		switch {
		case err == nil:
		case errors.Is(err, errOverLimit): // as if nothing were visible
		default:
			b.revert(before)
			s.log.Error("polling a queue", "queue", m.Queue, "function", m.Function, "error", err)
			if !sleep(ctx, m.failed()) {
				return m.release(b)
			}
			continue
		}
		if len(b.receipts) > 0 {
			if until.IsZero() {
				until = time.Now().Add(m.Window)
			}
			if b.full || !time.Now().Before(until) {
				return b
			}
		}
		if !news.wait(ctx, until) {
			if ctx.Err() != nil {
				return m.release(b)
			}
			return b
		}
	}
}

// release gives up a batch that nobody has seen.
func (m *mapping) release(b *batch) *batch {
	if len(b.receipts) > 0 {
		if _, err := m.service.hide(m.queue, b.receipts, 0); err != nil {
			m.service.log.Error("giving back the messages of a batch", "queue", m.Queue, "error", err)
		}
	}
	return nil
}
