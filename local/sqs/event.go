package sqs

import (
	"bytes"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// maxPayload is the most bytes of an invocation, and so of a batch.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
const maxPayload = 6 << 20

var (
	payloadStart = []byte(`{"Records":[`)
	payloadEnd   = []byte(`]}`)
)

// batch is what one invocation gets: messages, and the event that grows with them.
type batch struct {
	queue    *queue
	receipts []receipt
	payload  bytes.Buffer
	limit    int // messages
	full     bool
}

func newBatch(q *queue, limit int) *batch {
	b := &batch{queue: q, limit: limit}
	b.payload.Write(payloadStart)
	return b
}

// event is the finished event. The batch takes no message afterwards.
func (b *batch) event() []byte {
	b.payload.Write(payloadEnd)
	return b.payload.Bytes()
}

// add takes a message if the event has room for it.
func (b *batch) add(s *Service, m *message) bool {
	before := b.payload.Len()
	if len(b.receipts) > 0 {
		b.payload.WriteByte(',')
	}
	encoder := json.NewEncoder(&b.payload)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s.record(b.queue, m)) // strings and bytes into memory: it can't fail
	b.payload.Truncate(b.payload.Len() - 1)  // the encoder's newline
	if len(b.receipts) > 0 && b.payload.Len()+len(payloadEnd) > maxPayload {
		b.payload.Truncate(before)
		b.full = true
		return false
	}
	b.receipts = append(b.receipts, m.receipt)
	b.full = len(b.receipts) == b.limit
	return true
}

// size is where a batch stands.
type size struct {
	receipts, bytes int
	full            bool
}

func (b *batch) size() size { return size{len(b.receipts), b.payload.Len(), b.full} }

// revert takes back what was added since.
func (b *batch) revert(to size) {
	b.receipts, b.full = b.receipts[:to.receipts], to.full
	b.payload.Truncate(to.bytes)
}

// record is the message as Lambda hands it to functions.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
func (s *Service) record(q *queue, m *message) events.SQSMessage {
	attributes := map[string]events.SQSMessageAttribute{}
	for name, a := range m.attributes {
		attributes[name] = events.SQSMessageAttribute{
			DataType:         a.DataType,
			StringValue:      a.StringValue,
			BinaryValue:      a.BinaryValue,
			StringListValues: []string{},
			BinaryListValues: [][]byte{},
		}
	}
	return events.SQSMessage{
		MessageId:              m.id.String(),
		ReceiptHandle:          m.receipt.String(),
		Body:                   m.body,
		Md5OfBody:              md5Hex(m.body),
		Md5OfMessageAttributes: md5OfAttributes(m.attributes),
		Attributes:             s.system(m),
		MessageAttributes:      attributes,
		EventSourceARN:         q.arn,
		EventSource:            "aws:sqs",
		AWSRegion:              s.config.Region,
	}
}
