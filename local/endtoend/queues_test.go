package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"fanmail/local"
	"fanmail/shared/deployment"
)

// consumers is the function events.
func (d *stack) consumers() deployment.Function {
	d.t.Helper()
	functions, err := deployment.Functions()
	if err != nil {
		d.t.Fatal(err)
	}
	i := slices.IndexFunc(functions, func(f deployment.Function) bool { return f.Key == "events" })
	return functions[i]
}

// eventsQueue is the queue that it consumes.
func (d *stack) eventsQueue() deployment.Queue {
	d.t.Helper()
	queues, err := deployment.Queues()
	if err != nil {
		d.t.Fatal(err)
	}
	name := d.consumers().EventSource.Queue
	return queues[slices.IndexFunc(queues, func(q deployment.Queue) bool { return q.Name == name })]
}

// messages is how many messages a queue holds.
func (d *stack) messages(queue string) int {
	d.t.Helper()
	counts, err := d.SQS().Counts(queue)
	if err != nil {
		d.t.Fatal(err)
	}
	return counts.Visible + counts.InFlight + counts.Delayed
}

// opened is the event that a recipient has opened its message, with one of the message's tags changed, or left out.
func (d *stack) opened(seq int, tag, value string) string {
	d.t.Helper()
	for _, entry := range d.mailbox() {
		if entry.Tags["fanmail-seq"] != number(int64(seq)) {
			continue
		}
		var tags []string
		for name, is := range entry.Tags {
			if name == tag {
				is = value
			}
			// A message that lacks Fanmail's tags is somebody else's.
			if tag == "fanmail-id" && strings.HasPrefix(name, "fanmail") {
				continue
			}
			tags = append(tags, fmt.Sprintf("%q:[%q]", name, is))
		}
		when := entry.Time.UTC().Format(time.RFC3339)
		return fmt.Sprintf(`{"eventType":"Open","mail":{"timestamp":%q,"messageId":%q,"tags":{%s}},"open":{"timestamp":%q}}`,
			when, entry.MessageID, strings.Join(tags, ","), when)
	}
	d.t.Fatalf("recipient %d has no message", seq)
	return ""
}

// messageQueue is a queue as a client of SQS has it.
type messageQueue struct {
	*stack
	client *sqs.Client
	url    *string
}

func (d *stack) queue(name string) messageQueue {
	d.t.Helper()
	client := sqs.NewFromConfig(local.ClientConfig(d.Endpoint()))
	out, err := client.GetQueueUrl(d.t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		d.t.Fatal(err)
	}
	return messageQueue{d, client, out.QueueUrl}
}

// publish puts messages into the queue, all at once.
func (q messageQueue) publish(bodies ...string) {
	q.t.Helper()
	var entries []types.SendMessageBatchRequestEntry
	for i, body := range bodies {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(number(int64(i))), MessageBody: &body})
	}
	out, err := q.client.SendMessageBatch(q.t.Context(), &sqs.SendMessageBatchInput{QueueUrl: q.url, Entries: entries})
	if err != nil || len(out.Failed) > 0 {
		q.t.Fatalf("%v: %+v", err, out)
	}
}

// receive receives what is visible, sorted, and lets others receive it at once.
func (q messageQueue) receive() (bodies []string) {
	q.t.Helper()
	out, err := q.client.ReceiveMessage(q.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.url, MaxNumberOfMessages: 10})
	if err != nil {
		q.t.Fatal(err)
	}
	for _, message := range out.Messages {
		bodies = append(bodies, aws.ToString(message.Body))
		// ReceiveMessage's own VisibilityTimeout is not sent when it is 0.
		_, err := q.client.ChangeMessageVisibility(q.t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: q.url, ReceiptHandle: message.ReceiptHandle})
		if err != nil {
			q.t.Fatal(err)
		}
	}
	slices.Sort(bodies)
	return bodies
}

// log is what a function has logged.
func (d *stack) log(function string) string {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.Directory(), "logs", "*"+function+"*"))
	if err != nil || len(files) != 1 {
		d.t.Fatalf("%q are the logs of %s: %v", files, function, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}
