package sqs

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// maxMove bounds the messages of one transaction of a redrive, and so its memory and the time for which it holds the lock.
const maxMove = 1000

// redrive moves the messages that are visible in a dead-letter queue to a destination, or with nil to the queue that each comes
// from. They start anew there: with a new id, a new time of sending and no receives, as on AWS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
func (s *Service) redrive(from, destination *queue) (int, error) {
	s.mu.Lock()
	left := from.counts(time.Now()).Visible
	s.mu.Unlock()
	moved := 0
	for left > 0 {
		n, err := s.redriveSome(from, destination, min(left, maxMove))
		moved += n
		if err != nil {
			return moved, fmt.Errorf("moving messages out of %s, after %d: %w", from.Name, moved, err)
		}
		if n == 0 {
			break
		}
		left -= n
	}
	return moved, nil
}

// move is a message on its way from one queue to another.
type move struct {
	from, to *entry
	queue    *queue
}

func (s *Service) redriveSome(from, destination *queue, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	from.promote(now)
	var taken []*entry
	var moves []move
	err := s.update(func(tx *bolt.Tx) error {
		rows := from.rows(tx)
		for len(moves) < limit && len(from.visible) > 0 {
			e := heap.Pop(&from.visible).(*entry)
			taken = append(taken, e)
			m, _, err := rows.read(e.number)
			if err != nil {
				return err
			}
			to := destination
			if to == nil {
				if to = s.queues[m.source]; to == nil {
					return fail("ResourceNotFoundException", "ResourceNotFoundException", "The source queue of message %s is not known (%q): give a DestinationArn.", m.id, m.source)
				}
			}
			m.id, m.sent, m.source = uuid.New(), now.UnixMilli(), ""
			born, err := to.rows(tx).insert(m, now.UnixMilli())
			if err != nil {
				return err
			}
			if err := rows.delete(e.number); err != nil {
				return err
			}
			moves = append(moves, move{e, born, to})
		}
		return nil
	})
	if err != nil {
		for _, e := range taken {
			from.put(e, now)
		}
		return 0, err
	}
	targets := map[*queue]bool{}
	for _, m := range moves {
		from.remove(m.from)
		m.queue.put(m.to, now)
		targets[m.queue] = true
	}
	for q := range targets {
		q.announce()
	}
	return len(moves), nil
}
