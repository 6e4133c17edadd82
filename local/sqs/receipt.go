package sqs

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/google/uuid"
)

// receipt is what a receipt handle says: which receive of which message.
type receipt struct {
	queue    string
	number   uint64
	id       uuid.UUID
	received uint32
	doubled  bool
}

const receiptBytes = 8 + 16 + 4 + 1

// String is the handle.
func (r receipt) String() string {
	b := make([]byte, 0, receiptBytes+len(r.queue))
	b = binary.BigEndian.AppendUint64(b, r.number)
	b = append(b, r.id[:]...)
	b = binary.BigEndian.AppendUint32(b, r.received)
	if r.doubled {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	return base64.StdEncoding.EncodeToString(append(b, r.queue...))
}

// receipt reads a handle that the queue gave.
func (q *queue) receipt(handle string) (receipt, *Error) {
	b, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || len(b) < receiptBytes || string(b[receiptBytes:]) != q.Name {
		return receipt{}, errHandle
	}
	return receipt{
		queue:    q.Name,
		number:   binary.BigEndian.Uint64(b),
		id:       uuid.UUID(b[8:24]),
		received: binary.BigEndian.Uint32(b[24:]),
		doubled:  b[28] == 1,
	}, nil
}

// find returns the message that r is the last receive of; nil if it is gone or has been received again.
func (q *queue) find(r receipt) *entry {
	e := q.all[r.number]
	if e == nil || e.received != r.received || e.doubled != r.doubled {
		return nil
	}
	return e
}
