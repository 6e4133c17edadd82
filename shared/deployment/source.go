package deployment

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// EventSource is the SQS queue that Lambda polls for a function.
type EventSource struct {
	// Queue is the name of a Queue.
	Queue string
	// BatchSize is the most messages of one invocation: 1 to 10,000. Lambda also keeps a batch below 6 MB.
	BatchSize int
	// BatchingWindow is how long Lambda waits for a batch to fill, in whole seconds: 0 to 5 minutes.
	BatchingWindow time.Duration
	// MaximumConcurrency is the most invocations at once: 2 to 1000.
	MaximumConcurrency int
	// ReportBatchItemFailures: the function says which messages of a batch failed, and the others are deleted.
	ReportBatchItemFailures bool
}

// sourceEntry is an item of a function's events, as the Serverless Framework knows it.
type sourceEntry struct {
	SQS *struct {
		ARN                   reference `yaml:"arn"`
		BatchSize             int       `yaml:"batchSize"`
		MaximumBatchingWindow int       `yaml:"maximumBatchingWindow"`
		MaximumConcurrency    int       `yaml:"maximumConcurrency"`
		FunctionResponseType  string    `yaml:"functionResponseType"`
		// Unknown is whatever else is written there: the local runtime would not do it.
		Unknown map[string]any `yaml:",inline"`
	} `yaml:"sqs"`
}

const reportBatchItemFailures = "ReportBatchItemFailures"

// eventSource reads the one event source that a function may have; nil for none.
func (e entry) eventSource() (*EventSource, error) {
	if len(e.Events) == 0 {
		return nil, nil
	}
	if len(e.Events) > 1 || e.Events[0].SQS == nil {
		return nil, errors.New("events: one sqs event is all that a function can have here")
	}
	sqs := e.Events[0].SQS
	if len(sqs.Unknown) > 0 {
		return nil, fmt.Errorf("events: sqs: %s is not known here", strings.Join(slices.Sorted(maps.Keys(sqs.Unknown)), ", "))
	}
	queue, err := sqs.ARN.resource()
	if err != nil {
		return nil, fmt.Errorf("events: sqs: arn %w", err)
	}
	source := &EventSource{
		Queue:                   queue,
		BatchSize:               sqs.BatchSize,
		BatchingWindow:          time.Duration(sqs.MaximumBatchingWindow) * time.Second,
		MaximumConcurrency:      sqs.MaximumConcurrency,
		ReportBatchItemFailures: sqs.FunctionResponseType == reportBatchItemFailures,
	}
	if err := source.check(e.ReservedConcurrency); err != nil {
		return nil, fmt.Errorf("events: sqs: %w", err)
	}
	return source, nil
}

// check applies the limits of Lambda, and what AWS asks for so that the pollers are never throttled:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
func (s EventSource) check(reserved int) error {
	const maxWindow = 5 * time.Minute
	switch {
	case s.BatchSize < 1 || s.BatchSize > 10_000:
		return fmt.Errorf("batchSize is %d: it must be 1 to 10000", s.BatchSize)
	case s.BatchingWindow < 0 || s.BatchingWindow > maxWindow:
		return fmt.Errorf("maximumBatchingWindow is %v: it must be 0 to 300 seconds", s.BatchingWindow)
	case s.BatchSize > 10 && s.BatchingWindow < time.Second:
		return fmt.Errorf("batchSize is %d: more than 10 needs a maximumBatchingWindow of 1 second at least", s.BatchSize)
	case s.MaximumConcurrency < 2 || s.MaximumConcurrency > 1000:
		return fmt.Errorf("maximumConcurrency is %d: it must be 2 to 1000", s.MaximumConcurrency)
	case s.MaximumConcurrency > reserved:
		return fmt.Errorf("maximumConcurrency is %d, but reservedConcurrency %d: the pollers would be throttled, and good messages end in the dead-letter queue", s.MaximumConcurrency, reserved)
	case !s.ReportBatchItemFailures:
		return fmt.Errorf("functionResponseType must be %s, or one bad message fails its whole batch", reportBatchItemFailures)
	}
	return nil
}

// Check holds the event sources of the functions against the queues. The error names every function that breaks a rule.
func Check(functions []Function, queues []Queue) error {
	var problems []error
	for _, f := range functions {
		if f.EventSource == nil {
			continue
		}
		if err := f.EventSource.checkQueue(f.Timeout, queues); err != nil {
			problems = append(problems, fmt.Errorf("functions.yml: %s: events: sqs: %w", f.Key, err))
		}
	}
	return errors.Join(problems...)
}

func (s EventSource) checkQueue(timeout time.Duration, queues []Queue) error {
	i := slices.IndexFunc(queues, func(q Queue) bool { return q.Name == s.Queue })
	if i < 0 {
		return fmt.Errorf("the queue %s is not in queues.yml", s.Queue)
	}
	q := queues[i]
	if least := 6*timeout + s.BatchingWindow; q.VisibilityTimeout < least {
		return fmt.Errorf("VisibilityTimeout of %s is %v: it must be 6 x timeout + maximumBatchingWindow, %v, at least", q.Name, q.VisibilityTimeout, least)
	}
	if q.DeadLetterQueue == "" {
		return fmt.Errorf("%s has no dead-letter queue: what can't be read would come back until it is dropped", q.Name)
	}
	return nil
}
