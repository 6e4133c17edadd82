package sqs

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// The file has a bucket per queue with two buckets in it, both keyed by the message's number (8 bytes, big endian): what never
// changes, and what each receive changes. So a receive does not write bodies.
var (
	messagesBucket = []byte("messages")
	statesBucket   = []byte("states")
)

// lockPatience is how long opening waits for another process to let the file go.
const lockPatience = 5 * time.Second

// open opens the file and fills the queues' indexes.
func (s *Service) open() error {
	database, err := bolt.Open(s.config.File, 0o600, &bolt.Options{
		Timeout: lockPatience,
		// Written pages survive the process, not the machine. The free pages are counted at opening: writing the list of them at
		// each commit would cost more than the commit once many messages have been deleted.
		NoSync: true, NoGrowSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("another process has %s open: stop it, or give another file", s.config.File)
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", s.config.File, err)
	}
	s.database = database
	if err := database.Update(s.load); err != nil {
		return errors.Join(fmt.Errorf("reading %s: %w", s.config.File, err), database.Close())
	}
	return nil
}

func (s *Service) load(tx *bolt.Tx) error {
	for _, name := range s.names() {
		bucket, err := tx.CreateBucketIfNotExists([]byte(name))
		if err != nil {
			return err
		}
		if _, err := bucket.CreateBucketIfNotExists(messagesBucket); err != nil {
			return err
		}
		states, err := bucket.CreateBucketIfNotExists(statesBucket)
		if err != nil {
			return err
		}
		q, now := s.queues[name], time.Now()
		err = states.ForEach(func(key, value []byte) error {
			st, err := parseState(value)
			if err != nil {
				return fmt.Errorf("queue %s, message %x: %w", name, key, err)
			}
			q.put(&entry{number: binary.BigEndian.Uint64(key), visibleAt: st.visibleAt, received: st.received, doubled: st.doubled}, now)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
		if s.queues[string(name)] == nil {
			s.log.Warn("the file holds a queue that is not configured any more; its messages are kept", "file", s.config.File, "queue", string(name))
		}
		return nil
	})
}

// update runs a transaction. The caller holds mu, and changes an index only after it has succeeded.
func (s *Service) update(do func(*bolt.Tx) error) error {
	err := s.database.Update(do)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

// rows are the two buckets of a queue.
type rows struct{ messages, states *bolt.Bucket }

func (q *queue) rows(tx *bolt.Tx) rows {
	bucket := tx.Bucket([]byte(q.Name))
	r := rows{bucket.Bucket(messagesBucket), bucket.Bucket(statesBucket)}
	// Numbers only grow, so pages are filled from the left and need no room.
	r.messages.FillPercent, r.states.FillPercent = 1, 1
	return r
}

func key(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }

// insert writes a new message and returns its entry.
func (r rows) insert(m *message, visibleAt int64) (*entry, error) {
	number, err := r.messages.NextSequence()
	if err != nil {
		return nil, err
	}
	value, err := m.encode()
	if err != nil {
		return nil, err
	}
	if err := r.messages.Put(key(number), value); err != nil {
		return nil, err
	}
	return &entry{number: number, visibleAt: visibleAt}, r.states.Put(key(number), state{visibleAt: visibleAt}.encode())
}

func (r rows) read(number uint64) (*message, state, error) {
	m, err := parseMessage(r.messages.Get(key(number)))
	if err != nil {
		return nil, state{}, fmt.Errorf("message %d: %w", number, err)
	}
	st, err := parseState(r.states.Get(key(number)))
	if err != nil {
		return nil, state{}, fmt.Errorf("message %d: %w", number, err)
	}
	return m, st, nil
}

func (r rows) delete(number uint64) error {
	return errors.Join(r.messages.Delete(key(number)), r.states.Delete(key(number)))
}

// state is what changes of a message.
type state struct {
	visibleAt, firstReceived int64 // Unix milliseconds
	received                 uint32
	doubled                  bool
}

const stateBytes = 8 + 8 + 4 + 1

func (s state) encode() []byte {
	b := make([]byte, 0, stateBytes)
	b = binary.BigEndian.AppendUint64(b, uint64(s.visibleAt))
	b = binary.BigEndian.AppendUint64(b, uint64(s.firstReceived))
	b = binary.BigEndian.AppendUint32(b, s.received)
	if s.doubled {
		return append(b, 1)
	}
	return append(b, 0)
}

var errDamaged = errors.New("its record is damaged: delete the file to start with empty queues")

func parseState(b []byte) (state, error) {
	if len(b) != stateBytes {
		return state{}, errDamaged
	}
	return state{
		visibleAt:     int64(binary.BigEndian.Uint64(b)),
		firstReceived: int64(binary.BigEndian.Uint64(b[8:])),
		received:      binary.BigEndian.Uint32(b[16:]),
		doubled:       b[20] == 1,
	}, nil
}

// encode is id, time of sending, length and text of source and of the attributes' JSON, body.
func (m *message) encode() ([]byte, error) {
	var attributes []byte
	if len(m.attributes) > 0 {
		var err error
		if attributes, err = json.Marshal(m.attributes); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, 32+len(m.source)+len(attributes)+len(m.body))
	b = append(b, m.id[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(m.sent))
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.source)))
	b = append(b, m.source...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(attributes)))
	b = append(b, attributes...)
	return append(b, m.body...), nil
}

func parseMessage(b []byte) (*message, error) {
	if len(b) < 24 {
		return nil, errDamaged
	}
	m := &message{id: uuid.UUID(b[:16]), sent: int64(binary.BigEndian.Uint64(b[16:]))}
	source, rest, ok := cut(b[24:])
	if !ok {
		return nil, errDamaged
	}
	attributes, body, ok := cut(rest)
	if !ok {
		return nil, errDamaged
	}
	if len(attributes) > 0 {
		if err := json.Unmarshal(attributes, &m.attributes); err != nil {
			return nil, errDamaged
		}
	}
	m.source, m.body = string(source), string(body)
	return m, nil
}

// cut takes a length and so many bytes from b.
func cut(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := int64(binary.BigEndian.Uint32(b))
	if b = b[4:]; n > int64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
