package sqs

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

func (s *Service) getQueueURL(_ context.Context, in struct{ QueueName string }) (any, error) {
	if in.QueueName == "" {
		return nil, missing("QueueName")
	}
	if s.queues[in.QueueName] == nil {
		return nil, errNoQueue
	}
	return map[string]string{"QueueUrl": s.URL(in.QueueName)}, nil
}

type listQueuesRequest struct {
	QueueNamePrefix, NextToken string
	MaxResults                 int
}

// listQueues answers in pages only if MaxResults is given, as SQS does. The token is the last name of the page before.
func (s *Service) listQueues(_ context.Context, in listQueuesRequest) (any, error) {
	const most = 1000
	if in.MaxResults < 0 || in.MaxResults > most {
		return nil, invalid("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and %d, if provided.", in.MaxResults, most)
	}
	out := struct {
		QueueUrls []string `json:",omitempty"`
		NextToken string   `json:",omitempty"`
	}{}
	names := slices.DeleteFunc(s.names(), func(name string) bool {
		return !strings.HasPrefix(name, in.QueueNamePrefix) || name <= in.NextToken
	})
	if in.MaxResults > 0 && len(names) > in.MaxResults {
		names = names[:in.MaxResults]
		out.NextToken = names[len(names)-1]
	}
	for _, name := range names {
		out.QueueUrls = append(out.QueueUrls, s.URL(name))
	}
	return out, nil
}

// knownAttributes are the attributes that SQS knows and these queues do not have.
var knownAttributes = []string{
	"Policy", "MessageRetentionPeriod", "CreatedTimestamp", "LastModifiedTimestamp", "FifoQueue", "ContentBasedDeduplication", "KmsMasterKeyId",
	"KmsDataKeyReusePeriodSeconds", "DeduplicationScope", "FifoThroughputLimit", "RedriveAllowPolicy", "SqsManagedSseEnabled",
}

func (s *Service) getQueueAttributes(_ context.Context, in struct {
	queueRequest
	AttributeNames []string
}) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	counts := q.counts(time.Now())
	s.mu.Unlock()
	all := map[string]string{
		"QueueArn":                              q.arn,
		"ApproximateNumberOfMessages":           strconv.Itoa(counts.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(counts.InFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(counts.Delayed),
		"VisibilityTimeout":                     strconv.Itoa(int(q.VisibilityTimeout.Seconds())),
		"MaximumMessageSize":                    strconv.Itoa(maxMessageBytes),
		"DelaySeconds":                          "0",
		"ReceiveMessageWaitTimeSeconds":         "0",
	}
	if q.DeadLetter != "" {
		policy, err := json.Marshal(struct {
			DeadLetterTargetArn string `json:"deadLetterTargetArn"`
			MaxReceiveCount     int    `json:"maxReceiveCount"`
		}{s.arn(q.DeadLetter), q.MaxReceiveCount})
		if err != nil {
			return nil, err
		}
		all["RedrivePolicy"] = string(policy)
	}
	wanted := map[string]string{}
	for _, name := range in.AttributeNames {
		value, ok := all[name]
		switch {
		case name == "All":
			wanted = all
		case ok:
			wanted[name] = value
		case name != "RedrivePolicy" && !slices.Contains(knownAttributes, name):
			return nil, fail("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	return map[string]any{"Attributes": wanted}, nil
}

func (s *Service) purgeQueue(_ context.Context, in queueRequest) (any, error) {
	q, err := in.queue(s)
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.purge(q)
}

type moveRequest struct {
	SourceArn, DestinationArn    string
	MaxNumberOfMessagesPerSecond *int
}

// startMessageMoveTask has moved all visible messages when it answers, however many per second were asked for.
func (s *Service) startMessageMoveTask(_ context.Context, in moveRequest) (any, error) {
	from, err := s.queueOfARN("SourceArn", in.SourceArn)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(s.config.Queues, func(q Queue) bool { return q.DeadLetter == from.Name }) {
		return nil, invalid("Source queue must be configured as a Dead Letter Queue.")
	}
	const fastest = 500
	if n := in.MaxNumberOfMessagesPerSecond; n != nil && (*n < 1 || *n > fastest) {
		return nil, invalid("Value %d for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and %d, if provided.", *n, fastest)
	}
	var destination *queue
	if in.DestinationArn != "" {
		if destination, err = s.queueOfARN("DestinationArn", in.DestinationArn); err != nil {
			return nil, err
		}
		if destination == from {
			return nil, invalid("Source queue arn and destination queue arn can't be the same.")
		}
	}
	moved, err := s.redrive(from, destination)
	if err != nil {
		return nil, err
	}
	s.log.Info("messages moved out of a dead-letter queue", "queue", from.Name, "messages", moved)
	return map[string]string{"TaskHandle": uuid.NewString()}, nil
}
