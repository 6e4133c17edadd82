package sqs

import (
	"context"
	"errors"
	"time"
)

// process invokes the function on a batch and deletes what succeeded. Everything else is visible again after its visibility
// timeout.
func (m *mapping) process(ctx context.Context, b *batch) {
	log := m.service.log.With("queue", m.Queue, "function", m.Function, "messages", len(b.receipts))
	response, err := m.invoke(ctx, b)
	var failed map[string]bool
	if err == nil && m.ReportBatchItemFailures {
		failed, err = failures(response, b.receipts)
	}
	if err != nil {
		if ctx.Err() == nil {
			log.Warn("a batch failed; its messages come back after their visibility timeout", "pause", m.failed(), "error", err)
		}
		return
	}
	m.succeeded()
	good := b.receipts[:0]
	for _, r := range b.receipts {
		if !failed[r.id.String()] {
			good = append(good, r)
		}
	}
	if len(failed) > 0 {
		log.Info("the function reports failed messages; they come back after their visibility timeout", "failed", len(failed))
	}
	if err := m.service.delete(m.queue, good); err != nil {
		log.Error("deleting the messages of a batch that succeeded; they will be delivered again", "error", err)
	}
}

// invoke invokes the function, and again while it is throttled and nobody else can receive the messages.
func (m *mapping) invoke(ctx context.Context, b *batch) ([]byte, error) {
	payload, until := b.event(), m.service.hiddenUntil(b)
	for tries := 0; ; tries++ {
		response, err := m.Invoke(ctx, payload)
		if err == nil || !errors.Is(err, ErrThrottled) {
			return response, err
		}
		pause := pauseAfter(tries)
		if time.Now().Add(pause).After(until) || !sleep(ctx, pause) {
			return nil, err
		}
	}
}

// hiddenUntil is when the first message of a batch becomes visible again.
func (s *Service) hiddenUntil(b *batch) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := time.Now().Add(maxVisibility)
	for _, r := range b.receipts {
		if e := b.queue.find(r); e != nil && time.UnixMilli(e.visibleAt).Before(until) {
			until = time.UnixMilli(e.visibleAt)
		}
	}
	return until
}
