package sqs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

type sendRequest struct {
	MessageBody       string
	DelaySeconds      int
	MessageAttributes map[string]attribute
	// MessageGroupId and MessageDeduplicationId are of FIFO queues, and of fair queues, which these are not.
	MessageGroupId, MessageDeduplicationId string
	MessageSystemAttributes                map[string]attribute
}

// outgoing is the message of a request, checked.
func (in sendRequest) outgoing() (outgoing, error) {
	if in.MessageDeduplicationId != "" || in.MessageGroupId != "" || len(in.MessageSystemAttributes) > 0 {
		return outgoing{}, unsupported("the local SQS does not support MessageGroupId, MessageDeduplicationId and MessageSystemAttributes")
	}
	out := outgoing{newMessage(in.MessageBody, in.MessageAttributes), time.Duration(in.DelaySeconds) * time.Second}
	return out, out.check()
}

// sentMessage is the answer for one message; Id is only in that of a batch.
type sentMessage struct {
	Id                     string `json:",omitempty"`
	MessageId              string
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
}

func (o outgoing) answer(id string) sentMessage {
	return sentMessage{id, o.id.String(), md5Hex(o.body), md5OfAttributes(o.attributes)}
}

func (s *Service) sendMessage(_ context.Context, in struct {
	queueRequest
	sendRequest
}) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	out, err := in.outgoing()
	if err != nil {
		return nil, err
	}
	if err := s.send(q, []outgoing{out}); err != nil {
		return nil, err
	}
	return out.answer(""), nil
}

type receiveRequest struct {
	queueRequest
	MaxNumberOfMessages, VisibilityTimeout, WaitTimeSeconds            *int
	AttributeNames, MessageSystemAttributeNames, MessageAttributeNames []string
	ReceiveRequestAttemptId                                            string
}

// receivedMessage is a message as ReceiveMessage answers it.
type receivedMessage struct {
	MessageId, ReceiptHandle, MD5OfBody, Body string
	Attributes                                map[string]string    `json:",omitempty"`
	MD5OfMessageAttributes                    string               `json:",omitempty"`
	MessageAttributes                         map[string]attribute `json:",omitempty"`
}

func (s *Service) receiveMessage(ctx context.Context, in receiveRequest) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	limit, err := number("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 1, maxReceive)
	if err != nil {
		return nil, err
	}
	wait, err := number("WaitTimeSeconds", in.WaitTimeSeconds, 0, 0, int(maxWait.Seconds()))
	if err != nil {
		return nil, err
	}
	seconds, err := number("VisibilityTimeout", in.VisibilityTimeout, 0, 0, int(maxVisibility.Seconds()))
	if err != nil {
		return nil, err
	}
	visibility := q.VisibilityTimeout
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(seconds) * time.Second
	}
	out := struct {
		Messages []receivedMessage `json:",omitempty"`
	}{}
	for until := time.Now().Add(time.Duration(wait) * time.Second); ; {
		news, err := s.receive(q, limit, visibility, func(m *message) bool {
			out.Messages = append(out.Messages, in.answer(s, m))
			return true
		})
		// While too many are in flight, a long poll finds nothing; only a short one is told why.
		if err != nil && (wait == 0 || !errors.Is(err, errOverLimit)) {
			return nil, err
		}
		if len(out.Messages) > 0 || wait == 0 || !news.wait(ctx, until) {
			return out, nil
		}
	}
}

func (in receiveRequest) answer(s *Service, m *message) receivedMessage {
	out := receivedMessage{MessageId: m.id.String(), ReceiptHandle: m.receipt.String(), MD5OfBody: md5Hex(m.body), Body: m.body}
	names := append(slices.Clone(in.AttributeNames), in.MessageSystemAttributeNames...)
	for name, value := range s.system(m) {
		if slices.Contains(names, "All") || slices.Contains(names, name) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	for name, value := range m.attributes {
		if in.wantsAttribute(name) {
			if out.MessageAttributes == nil {
				out.MessageAttributes = map[string]attribute{}
			}
			out.MessageAttributes[name] = value
		}
	}
	out.MD5OfMessageAttributes = md5OfAttributes(out.MessageAttributes)
	return out
}

// wantsAttribute knows names, "All", ".*" and "prefix.*".
func (in receiveRequest) wantsAttribute(name string) bool {
	return slices.ContainsFunc(in.MessageAttributeNames, func(wanted string) bool {
		prefix, isPrefix := strings.CutSuffix(wanted, ".*")
		return wanted == "All" || wanted == name || isPrefix && strings.HasPrefix(name, prefix)
	})
}

func (s *Service) deleteMessage(_ context.Context, in struct {
	queueRequest
	ReceiptHandle string
}) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	r, bad := q.receipt(in.ReceiptHandle)
	if bad != nil {
		return nil, bad
	}
	return struct{}{}, s.delete(q, []receipt{r})
}

func (s *Service) changeMessageVisibility(_ context.Context, in struct {
	queueRequest
	ReceiptHandle     string
	VisibilityTimeout *int
}) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout == nil {
		return nil, missing("VisibilityTimeout")
	}
	seconds, err := number("VisibilityTimeout", in.VisibilityTimeout, 0, 0, int(maxVisibility.Seconds()))
	if err != nil {
		return nil, err
	}
	r, bad := q.receipt(in.ReceiptHandle)
	if bad != nil {
		return nil, bad
	}
	n, err := s.hide(q, []receipt{r}, time.Duration(seconds)*time.Second)
	if err == nil && n == 0 {
		err = errNotInFlight
	}
	return struct{}{}, err
}

// number checks an optional number of a request.
func number(parameter string, given *int, missing, least, most int) (int, error) {
	if given == nil {
		return missing, nil
	}
	if *given < least || *given > most {
		return 0, invalid("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", *given, parameter, least, most)
	}
	return *given, nil
}
