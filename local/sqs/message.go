package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Message is a message to send.
type Message struct {
	Body string
	// Delay hides it at first, for up to 15 minutes.
	Delay time.Duration
}

// attribute is a message attribute, as the API spells it.
type attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// message is a message with what SQS knows of it.
type message struct {
	id         uuid.UUID
	sent       int64  // Unix milliseconds
	source     string // the queue that it died in, for one in a dead-letter queue
	attributes map[string]attribute
	body       string

	// The rest is set when it is received.
	firstReceived int64 // Unix milliseconds
	received      uint32
	receipt       receipt
}

// bytes is the size that counts against SQS's limit: the body and the attributes' names, types and values.
func (m *message) bytes() int {
	n := len(m.body)
	for name, a := range m.attributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

// system are the system attributes of a received message.
func (s *Service) system(m *message) map[string]string {
	values := map[string]string{
		"SenderId":                         s.config.Account,
		"SentTimestamp":                    strconv.FormatInt(m.sent, 10),
		"ApproximateReceiveCount":          strconv.FormatUint(uint64(m.received), 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstReceived, 10),
	}
	if m.source != "" {
		values["DeadLetterQueueSourceArn"] = s.arn(m.source)
	}
	return values
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes is the digest that SQS gives of message attributes; "" for none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func md5OfAttributes(attributes map[string]attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(text string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(a.DataType)
		if strings.HasPrefix(a.DataType, "Binary") {
			b = append(b, 2)
			add(string(a.BinaryValue))
		} else {
			b = append(b, 1)
			add(*a.StringValue)
		}
	}
	return md5Hex(string(b))
}

// check refuses what SQS would refuse of a message to send.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (m *message) check() *Error {
	if m.body == "" {
		return missing("MessageBody")
	}
	if len(m.attributes) > maxAttributes {
		return invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(m.attributes), maxAttributes)
	}
	for name, a := range m.attributes {
		if err := a.check(name); err != nil {
			return err
		}
	}
	if m.bytes() > maxMessageBytes {
		return invalid("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxMessageBytes)
	}
	if !storable(m.body) {
		return errContents
	}
	return nil
}

func (a attribute) check(name string) *Error {
	kind, _, _ := strings.Cut(a.DataType, ".")
	switch {
	case name == "":
		return invalid("The message attribute name must not be empty.")
	case kind == "Binary" && len(a.BinaryValue) > 0 && a.StringValue == nil:
		return nil
	case (kind == "String" || kind == "Number") && a.StringValue != nil && *a.StringValue != "" && a.BinaryValue == nil:
		if !storable(*a.StringValue) {
			return errContents
		}
		return nil
	case kind == "Binary" || kind == "String" || kind == "Number":
		return invalid("The message attribute '%s' must contain a non-empty value of its type '%s', and no other.", name, a.DataType)
	}
	return invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
}

// storable says whether a text has only characters that SQS takes: those of XML 1.0.
func storable(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}
