package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"fanmail/local/ses"
	"fanmail/local/sqs"
	"fanmail/shared/deployment"
)

// eventsKey is the function that consumes what SES publishes.
const eventsKey = "events"

// startQueues opens the queues of the deployment. Nothing consumes them yet.
func (r *Runtime) startQueues() error {
	all, err := deployment.Queues()
	if err != nil {
		return err
	}
	var queues []sqs.Queue
	for _, q := range all {
		queues = append(queues, sqs.Queue{
			Name: q.Name, VisibilityTimeout: r.visibility(q), DeadLetter: q.DeadLetterQueue, MaxReceiveCount: q.MaxReceiveCount,
		})
	}
	r.sqs, err = sqs.New(sqs.Config{
		File:      filepath.Join(r.directory, "sqs.db"),
		Queues:    queues,
		Region:    Region,
		Account:   Account,
		Endpoint:  r.endpoint,
		Logger:    r.options.Logger,
		Duplicate: r.faults.DeliverTwice,
	})
	return err
}

// queueURL is the URL of a queue of queues.yml.
func (r *Runtime) queueURL(name string) string { return r.endpoint + "/" + Account + "/" + name }

func (r *Runtime) visibility(q deployment.Queue) time.Duration {
	if r.options.VisibilityTimeout > 0 {
		return r.options.VisibilityTimeout
	}
	return q.VisibilityTimeout
}

// publisher returns where SES's events go: the queue of the function events. On AWS there is an SNS topic in between, which
// passes them on as they are.
func (r *Runtime) publisher() func([]ses.Published) error {
	for _, f := range r.functions {
		if f.Key == eventsKey && f.EventSource != nil {
			return func(events []ses.Published) error {
				messages := make([]sqs.Message, len(events))
				for i, e := range events {
					messages[i] = sqs.Message{Body: string(e.Body), Delay: e.Delay}
				}
				return r.sqs.Send(f.EventSource.Queue, messages...)
			}
		}
	}
	return nil
}

// mapQueues makes the functions consume their queues.
func (r *Runtime) mapQueues() error {
	client := awslambda.NewFromConfig(ClientConfig(r.endpoint))
	for _, f := range r.functions {
		if f.EventSource == nil {
			continue
		}
		err := r.sqs.Map(sqs.Mapping{
			Queue:                   f.EventSource.Queue,
			Function:                functionName + f.Key,
			BatchSize:               f.EventSource.BatchSize,
			Window:                  f.EventSource.BatchingWindow,
			MaximumConcurrency:      f.EventSource.MaximumConcurrency,
			ReportBatchItemFailures: f.EventSource.ReportBatchItemFailures,
			Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
				return consume(ctx, client, functionName+f.Key, payload)
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// consume invokes a function with messages of its queue.
func consume(ctx context.Context, client *awslambda.Client, function string, payload []byte) ([]byte, error) {
	output, err := client.Invoke(ctx, &awslambda.InvokeInput{FunctionName: &function, Payload: payload})
	if throttled := (*types.TooManyRequestsException)(nil); errors.As(err, &throttled) {
		return nil, fmt.Errorf("%w: %w", sqs.ErrThrottled, err)
	}
	if err != nil {
		return nil, err
	}
	if output.FunctionError != nil {
		return nil, fmt.Errorf("%s failed: %s: %s", function, aws.ToString(output.FunctionError), output.Payload)
	}
	return output.Payload, nil
}
