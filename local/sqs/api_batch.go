package sqs

import (
	"context"
	"errors"
	"net/http"
	"regexp"
)

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// batchAnswer is the answer to a batch request: each entry is in one of the lists.
type batchAnswer struct {
	Successful []any
	Failed     []failedEntry
}

type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

func (a *batchAnswer) fail(id string, err error) {
	problem := &Error{http.StatusInternalServerError, "InternalError", "InternalError", err.Error()}
	_ = errors.As(err, &problem)
	a.Failed = append(a.Failed, failedEntry{id, problem.Code, problem.Message, problem.Status < http.StatusInternalServerError})
}

// checkBatch refuses a whole batch because of its entries' ids.
func checkBatch(ids []string) error {
	if len(ids) == 0 {
		return errEmptyBatch
	}
	if len(ids) > maxReceive {
		return errTooMany
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if !entryID.MatchString(id) {
			return errEntryID
		}
		if seen[id] {
			return fail("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

func (s *Service) sendMessageBatch(_ context.Context, in struct {
	queueRequest
	Entries []struct {
		Id string
		sendRequest
	}
}) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	ids, bytes := make([]string, len(in.Entries)), 0
	for i, entry := range in.Entries {
		ids[i] = entry.Id
		m := message{body: entry.MessageBody, attributes: entry.MessageAttributes}
		bytes += m.bytes()
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	if bytes > maxMessageBytes {
		return nil, errTooLong
	}
	out := batchAnswer{Successful: []any{}, Failed: []failedEntry{}}
	var good []outgoing
	for _, entry := range in.Entries {
		m, err := entry.outgoing()
		if err != nil {
			out.fail(entry.Id, err)
			continue
		}
		good = append(good, m)
		out.Successful = append(out.Successful, m.answer(entry.Id))
	}
	if len(good) == 0 {
		return out, nil
	}
	return out, s.send(q, good)
}

func (s *Service) deleteMessageBatch(_ context.Context, in struct {
	queueRequest
	Entries []struct{ Id, ReceiptHandle string }
}) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(in.Entries))
	for i, entry := range in.Entries {
		ids[i] = entry.Id
	}
	if err := checkBatch(ids); err != nil {
		return nil, err
	}
	out := batchAnswer{Successful: []any{}, Failed: []failedEntry{}}
	var good []receipt
	for _, entry := range in.Entries {
		r, err := q.receipt(entry.ReceiptHandle)
		if err != nil {
			out.fail(entry.Id, err)
			continue
		}
		good = append(good, r)
		out.Successful = append(out.Successful, map[string]string{"Id": entry.Id})
	}
	if len(good) == 0 {
		return out, nil
	}
	return out, s.delete(q, good)
}
