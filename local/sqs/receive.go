package sqs

import (
	"container/heap"
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxDying bounds the messages that one receive moves to the dead-letter queue, and so the time for which it holds the lock.
const maxDying = 1000

// news tells a receiver when it is worth asking again.
type news struct {
	changed <-chan struct{}
	next    time.Time // when a hidden message becomes visible; zero if there is none
}

// wait waits until there may be something to receive. It returns false when the context or the time until is over first; zero
// means no end.
func (n news) wait(ctx context.Context, until time.Time) bool {
	end := until
	if !n.next.IsZero() && (end.IsZero() || n.next.Before(end)) {
		end = n.next
	}
	var timer <-chan time.Time
	if !end.IsZero() {
		t := time.NewTimer(time.Until(end))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-n.changed:
		return true
	case <-timer:
		return until.IsZero() || time.Now().Before(until)
	}
}

// receive hands up to limit visible messages to accept, in the order in which they became visible, and hides them. A message that
// accept refuses stays visible and ends the receive. With an error, none of the accepted ones has been received.
func (s *Service) receive(q *queue, limit int, visibility time.Duration, accept func(*message) bool) (news, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	q.promote(now)
	if len(q.flying) >= s.inFlightLimit {
		return news{q.changed, q.next()}, errOverLimit
	}
	limit = min(limit, s.inFlightLimit-len(q.flying))
	p := pick{service: s, queue: q, now: now, hidden: now.Add(visibility).UnixMilli()}
	if len(q.visible) > 0 {
		if err := s.update(func(tx *bolt.Tx) error { return p.run(tx, limit, accept) }); err != nil {
			p.undo()
			return news{q.changed, q.next()}, fmt.Errorf("receiving from %s: %w", q.Name, err)
		}
		p.apply()
	}
	next := q.next()
	if len(q.visible) > 0 {
		next = now
	}
	return news{q.changed, next}, nil
}

// pick is one receive: what it takes from the index, and what becomes of it if the transaction succeeds.
type pick struct {
	service *Service
	queue   *queue
	now     time.Time
	hidden  int64 // until when

	received, dead, reborn []*entry
	refused                *entry
}

func (p *pick) run(tx *bolt.Tx, limit int, accept func(*message) bool) error {
	q, rows := p.queue, p.queue.rows(tx)
	for len(p.received) < limit && len(p.dead) < maxDying && len(q.visible) > 0 {
		e := heap.Pop(&q.visible).(*entry)
		p.refused = e // until it is decided otherwise, so that undo knows it
		m, st, err := rows.read(e.number)
		if err != nil {
			return err
		}
		if q.DeadLetter != "" && int(e.received) >= q.MaxReceiveCount {
			if err := p.bury(tx, rows, e, m); err != nil {
				return err
			}
			continue
		}
		if st.firstReceived == 0 {
			st.firstReceived = p.now.UnixMilli()
		}
		st.received++
		st.visibleAt = p.hidden
		m.received, m.firstReceived = st.received, st.firstReceived
		m.receipt = receipt{queue: q.Name, number: e.number, id: m.id, received: st.received, doubled: st.doubled}
		if !accept(m) {
			return nil
		}
		p.received, p.refused = append(p.received, e), nil
		if err := rows.states.Put(key(e.number), st.encode()); err != nil {
			return err
		}
	}
	return nil
}

// bury moves a message to the dead-letter queue. It keeps its id, its body and the time of sending, as on AWS.
func (p *pick) bury(tx *bolt.Tx, rows rows, e *entry, m *message) error {
	m.source = p.queue.Name
	born, err := p.service.queues[p.queue.DeadLetter].rows(tx).insert(m, p.now.UnixMilli())
	if err != nil {
		return err
	}
	p.dead, p.refused = append(p.dead, e), nil
	p.reborn = append(p.reborn, born)
	return rows.delete(e.number)
}

func (p *pick) apply() {
	q := p.queue
	for _, e := range p.received {
		e.received++
		e.visibleAt = p.hidden
		q.put(e, p.now)
	}
	if p.refused != nil {
		q.put(p.refused, p.now)
	}
	for _, e := range p.dead {
		q.remove(e)
	}
	if len(p.reborn) == 0 {
		return
	}
	target := p.service.queues[q.DeadLetter]
	for _, e := range p.reborn {
		target.put(e, p.now)
	}
	target.announce()
	p.service.log.Warn("messages moved to the dead-letter queue", "queue", q.Name, "deadLetter", target.Name, "messages", len(p.reborn), "maxReceiveCount", q.MaxReceiveCount)
}

func (p *pick) undo() {
	for _, e := range append(p.received, p.dead...) {
		p.queue.put(e, p.now)
	}
	if p.refused != nil {
		p.queue.put(p.refused, p.now)
	}
}
