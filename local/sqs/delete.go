package sqs

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// delete deletes received messages in one transaction. Those that are gone or have been received again are left as they are, which
// is no error: SQS answers so too.
func (s *Service) delete(q *queue, receipts []receipt) error {
	again := make([]bool, len(receipts))
	if s.config.Duplicate != nil {
		for i, r := range receipts {
			again[i] = !r.doubled && s.config.Duplicate(r.id.String())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var gone, doubled []*entry
	seen := map[uint64]bool{}
	err := s.update(func(tx *bolt.Tx) error {
		rows := q.rows(tx)
		for i, r := range receipts {
			e := q.find(r)
			if e == nil || seen[e.number] {
				continue
			}
			seen[e.number] = true
			if !again[i] {
				gone = append(gone, e)
				if err := rows.delete(e.number); err != nil {
					return err
				}
				continue
			}
			doubled = append(doubled, e)
			_, st, err := rows.read(e.number)
			if err != nil {
				return err
			}
			// It comes from a replica that has not seen this receive, so the receive does not count towards MaxReceiveCount.
			st.visibleAt, st.doubled = now.UnixMilli(), true
			st.received--
			if err := rows.states.Put(key(e.number), st.encode()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("deleting from %s: %w", q.Name, err)
	}
	full := len(q.flying) >= s.inFlightLimit
	for _, e := range gone {
		q.remove(e)
	}
	for _, e := range doubled {
		q.take(e)
		e.visibleAt, e.doubled = now.UnixMilli(), true
		e.received--
		q.put(e, now)
	}
	if full || len(doubled) > 0 {
		q.announce()
	}
	return nil
}

// hide makes received messages visible at another time: after d from now. It reports how many of them are in flight still.
func (s *Service) hide(q *queue, receipts []receipt, d time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	q.promote(now)
	at := now.Add(d).UnixMilli()
	var changed []*entry
	err := s.update(func(tx *bolt.Tx) error {
		rows := q.rows(tx)
		for _, r := range receipts {
			e := q.find(r)
			if e == nil || e.in != &q.flying {
				continue
			}
			_, st, err := rows.read(e.number)
			if err != nil {
				return err
			}
			st.visibleAt = at
			if err := rows.states.Put(key(e.number), st.encode()); err != nil {
				return err
			}
			changed = append(changed, e)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("changing the visibility of messages in %s: %w", q.Name, err)
	}
	for _, e := range changed {
		q.take(e)
		e.visibleAt = at
		q.put(e, now)
	}
	q.announce()
	return len(changed), nil
}

// purge deletes all messages of a queue.
func (s *Service) purge(q *queue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.update(func(tx *bolt.Tx) error {
		bucket := tx.Bucket([]byte(q.Name))
		// Numbers go on, or a handle from before could delete a message from after.
		last := bucket.Bucket(messagesBucket).Sequence()
		for _, name := range [][]byte{messagesBucket, statesBucket} {
			if err := bucket.DeleteBucket(name); err != nil {
				return err
			}
			if _, err := bucket.CreateBucket(name); err != nil {
				return err
			}
		}
		return bucket.Bucket(messagesBucket).SetSequence(last)
	})
	if err != nil {
		return fmt.Errorf("purging %s: %w", q.Name, err)
	}
	q.index = newIndex()
	q.announce()
	return nil
}
