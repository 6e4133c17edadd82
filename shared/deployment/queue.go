package deployment

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed queues.yml
var queuesYAML []byte

// Queue is one standard SQS queue of the deployment.
type Queue struct {
	// Name is its logical name in the template. Event sources refer to it, and the local runtime calls the queue so.
	Name string
	// VisibilityTimeout is how long a message that was received is hidden from others: 0 to 12 hours.
	VisibilityTimeout time.Duration
	// Retention is how long a message is kept, counted from when it was first sent: 1 minute to 14 days.
	Retention time.Duration
	// DeadLetterQueue is the name of the queue that takes a message which was received MaxReceiveCount times; "" for none.
	DeadLetterQueue string
	MaxReceiveCount int
}

// Queues are the queues of the deployment, sorted by name.
func Queues() ([]Queue, error) { return ParseQueues(queuesYAML) }

// queueEntry is a queue as CloudFormation knows it.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html
type queueEntry struct {
	Type       string `yaml:"Type"`
	Properties struct {
		VisibilityTimeout      *int `yaml:"VisibilityTimeout"`
		MessageRetentionPeriod *int `yaml:"MessageRetentionPeriod"`
		SqsManagedSseEnabled   bool `yaml:"SqsManagedSseEnabled"`
		RedrivePolicy          *struct {
			DeadLetterTargetArn reference `yaml:"deadLetterTargetArn"`
			MaxReceiveCount     int       `yaml:"maxReceiveCount"`
		} `yaml:"RedrivePolicy"`
	} `yaml:"Properties"`
}

// reference is {Fn::GetAtt: [name, Arn]}.
type reference struct {
	GetAtt []string `yaml:"Fn::GetAtt"`
}

// resource is the logical name that the reference is to.
func (r reference) resource() (string, error) {
	if len(r.GetAtt) != 2 || r.GetAtt[0] == "" || r.GetAtt[1] != "Arn" {
		return "", errors.New("must be { Fn::GetAtt: [<name in queues.yml>, Arn] }")
	}
	return r.GetAtt[0], nil
}

// ParseQueues reads the text of a queues.yml. A property that is not known here is an error: the local queue would not
// have it. The error names every queue that breaks a rule.
func ParseQueues(text []byte) ([]Queue, error) {
	var file struct {
		Resources map[string]queueEntry `yaml:"Resources"`
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading queues.yml: %w", err)
	}
	if len(file.Resources) == 0 {
		return nil, errors.New("reading queues.yml: it has no queues")
	}
	var queues []Queue
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(file.Resources)) {
		queue, err := file.Resources[name].queue(name)
		if err != nil {
			problems = append(problems, fmt.Errorf("queues.yml: %s: %w", name, err))
		}
		queues = append(queues, queue)
	}
	for _, q := range queues {
		if err := q.checkDeadLetters(queues); err != nil {
			problems = append(problems, fmt.Errorf("queues.yml: %s: %w", q.Name, err))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return queues, nil
}

const (
	defaultVisibility = 30 * time.Second
	defaultRetention  = 4 * 24 * time.Hour
	// leastReceives is what AWS asks for, so that throttles alone move no good message to a dead-letter queue:
	// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
	leastReceives = 5
)

// queue applies the limits of SQS:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func (e queueEntry) queue(name string) (Queue, error) {
	p := e.Properties
	q := Queue{Name: name, VisibilityTimeout: defaultVisibility, Retention: defaultRetention}
	if p.VisibilityTimeout != nil {
		q.VisibilityTimeout = time.Duration(*p.VisibilityTimeout) * time.Second
	}
	if p.MessageRetentionPeriod != nil {
		q.Retention = time.Duration(*p.MessageRetentionPeriod) * time.Second
	}
	switch {
	case e.Type != "AWS::SQS::Queue":
		return q, fmt.Errorf("its Type is %q: it must be AWS::SQS::Queue", e.Type)
	case q.VisibilityTimeout < 0 || q.VisibilityTimeout > 12*time.Hour:
		return q, fmt.Errorf("VisibilityTimeout is %d: it must be 0 to 43200 seconds", *p.VisibilityTimeout)
	case q.Retention < time.Minute || q.Retention > 14*24*time.Hour:
		return q, fmt.Errorf("MessageRetentionPeriod is %d: it must be 60 to 1209600 seconds", *p.MessageRetentionPeriod)
	case p.RedrivePolicy == nil:
		return q, nil
	}
	target, err := p.RedrivePolicy.DeadLetterTargetArn.resource()
	if err != nil {
		return q, fmt.Errorf("RedrivePolicy: deadLetterTargetArn %w", err)
	}
	q.DeadLetterQueue, q.MaxReceiveCount = target, p.RedrivePolicy.MaxReceiveCount
	if q.MaxReceiveCount < leastReceives || q.MaxReceiveCount > 1000 {
		return q, fmt.Errorf("RedrivePolicy: maxReceiveCount is %d: it must be %d to 1000, or throttles alone move good messages away", q.MaxReceiveCount, leastReceives)
	}
	return q, nil
}

// checkDeadLetters holds a queue against the one that takes its dead letters.
func (q Queue) checkDeadLetters(all []Queue) error {
	if q.DeadLetterQueue == "" {
		return nil
	}
	i := slices.IndexFunc(all, func(other Queue) bool { return other.Name == q.DeadLetterQueue })
	switch {
	case i < 0:
		return fmt.Errorf("its dead-letter queue %s is not in queues.yml", q.DeadLetterQueue)
	case q.DeadLetterQueue == q.Name:
		return errors.New("it is its own dead-letter queue")
	case all[i].Retention < q.Retention:
		return fmt.Errorf("its dead-letter queue keeps messages for %v, and it for %v: a message's age counts on, so they would be gone early", all[i].Retention, q.Retention)
	}
	return nil
}
