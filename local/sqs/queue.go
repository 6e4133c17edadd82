package sqs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits of Amazon SQS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
const (
	defaultVisibility = 30 * time.Second
	maxVisibility     = 12 * time.Hour
	maxDelay          = 15 * time.Minute
	maxWait           = 20 * time.Second
	maxReceive        = 10      // messages of one ReceiveMessage; also the entries of one batch request
	maxMessageBytes   = 1 << 20 // of one message with its attributes, and of one batch request
	maxAttributes     = 10      // message attributes of one message
	maxReceiveCount   = 1000
	maxInFlight       = 120_000 // messages of one queue
)

// Queue is one standard queue.
type Queue struct {
	// Name has up to 80 letters, digits, hyphens and underscores.
	Name string
	// VisibilityTimeout is how long a received message stays hidden; 0 means 30 s, 12 h is the most.
	VisibilityTimeout time.Duration
	// DeadLetter names the queue that takes messages received MaxReceiveCount times without being deleted; "" means none.
	DeadLetter      string
	MaxReceiveCount int
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// queue is a Queue with the index of its messages. Service.mu guards the index.
type queue struct {
	Queue
	arn string
	index
	// changed is closed, and replaced, when a message may have become visible.
	changed chan struct{}
}

func (q *queue) announce() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (s *Service) addQueues() error {
	for _, definition := range s.config.Queues {
		if definition.VisibilityTimeout == 0 {
			definition.VisibilityTimeout = defaultVisibility
		}
		if _, ok := s.queues[definition.Name]; ok {
			return fmt.Errorf("the queue %s is given twice", definition.Name)
		}
		s.queues[definition.Name] = &queue{Queue: definition, arn: s.arn(definition.Name), index: newIndex(), changed: make(chan struct{})}
	}
	for _, q := range s.config.Queues {
		if err := s.check(q); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) check(q Queue) error {
	if !queueName.MatchString(q.Name) {
		return fmt.Errorf("the queue name %q: want 1 to 80 letters, digits, hyphens and underscores (there are no FIFO queues here)", q.Name)
	}
	if q.VisibilityTimeout < 0 || q.VisibilityTimeout > maxVisibility {
		return fmt.Errorf("the queue %s: the visibility timeout is %v, want up to %v", q.Name, q.VisibilityTimeout, maxVisibility)
	}
	if q.DeadLetter == "" {
		if q.MaxReceiveCount != 0 {
			return fmt.Errorf("the queue %s has a maximum receive count, but no dead-letter queue", q.Name)
		}
		return nil
	}
	if s.queues[q.DeadLetter] == nil || q.DeadLetter == q.Name {
		return fmt.Errorf("the queue %s: its dead-letter queue %s is not another of the queues", q.Name, q.DeadLetter)
	}
	if q.MaxReceiveCount < 1 || q.MaxReceiveCount > maxReceiveCount {
		return fmt.Errorf("the queue %s: the maximum receive count is %d, want 1 to %d", q.Name, q.MaxReceiveCount, maxReceiveCount)
	}
	return nil
}

func (s *Service) arn(name string) string {
	return strings.Join([]string{"arn:aws:sqs", s.config.Region, s.config.Account, name}, ":")
}

// URL is the QueueUrl of a queue.
func (s *Service) URL(name string) string {
	return s.config.Endpoint + "/" + s.config.Account + "/" + name
}

// queue finds a queue by name.
func (s *Service) queue(name string) (*queue, error) {
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, fmt.Errorf("the local SQS has no queue %q, only %s", name, strings.Join(s.names(), ", "))
}

// names are the names of all queues in order.
func (s *Service) names() []string {
	names := make([]string, 0, len(s.queues))
	for name := range s.queues {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
