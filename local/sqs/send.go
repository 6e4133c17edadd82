package sqs

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// Send puts messages into a queue in one transaction: all or, with an error, none of them. It refuses what SQS would refuse.
func (s *Service) Send(name string, messages ...Message) error {
	q, err := s.queue(name)
	if err != nil {
		return err
	}
	out := make([]outgoing, len(messages))
	for i, m := range messages {
		out[i] = outgoing{newMessage(m.Body, nil), m.Delay}
		if err := out[i].check(); err != nil {
			return fmt.Errorf("sending message %d of %d to %s: %w", i+1, len(messages), name, err)
		}
	}
	if err := s.send(q, out); err != nil {
		return fmt.Errorf("sending to %s: %w", name, err)
	}
	return nil
}

func newMessage(body string, attributes map[string]attribute) *message {
	return &message{id: uuid.New(), sent: time.Now().UnixMilli(), attributes: attributes, body: body}
}

// outgoing is a message with its delay.
type outgoing struct {
	*message
	delay time.Duration
}

func (o outgoing) check() error {
	if o.delay < 0 || o.delay > maxDelay {
		return invalid("Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= %d.", int(o.delay.Seconds()), int(maxDelay.Seconds()))
	}
	if err := o.message.check(); err != nil {
		return err
	}
	return nil
}

// send stores messages that have been checked.
func (s *Service) send(q *queue, messages []outgoing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	entries := make([]*entry, len(messages))
	err := s.update(func(tx *bolt.Tx) error {
		rows := q.rows(tx)
		for i, m := range messages {
			var err error
			if entries[i], err = rows.insert(m.message, now.Add(m.delay).UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range entries {
		q.put(e, now)
	}
	q.announce()
	return nil
}
