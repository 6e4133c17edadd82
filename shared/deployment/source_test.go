package deployment

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// consumer is a function with an event source, and inbox its queue, both in order.
const (
	consumer = `
events:
  timeout: 60
  memorySize: 256
  reservedConcurrency: &consumers 3
  environment: { OWN: *consumers, QUEUE: { Ref: Inbox }, STAGE: "${sls:stage}" }
  events:
    - sqs:
        arn: { Fn::GetAtt: [Inbox, Arn] }
        batchSize: 1000
        maximumBatchingWindow: 2
        maximumConcurrency: *consumers
        functionResponseType: ReportBatchItemFailures
`
	inbox = `
Resources:
  Inbox:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 362
      MessageRetentionPeriod: 86400
      RedrivePolicy: { deadLetterTargetArn: { Fn::GetAtt: [Dead, Arn] }, maxReceiveCount: 5 }
  Dead:
    Type: AWS::SQS::Queue
    Properties: { SqsManagedSseEnabled: true }
`
)

func TestAnEventSourceAndItsQueueAreRead(t *testing.T) {
	functions, err := Parse([]byte(consumer))
	if err != nil {
		t.Fatal(err)
	}
	queues, err := ParseQueues([]byte(inbox))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(functions, queues); err != nil {
		t.Fatal(err)
	}
	wantFunctions := []Function{{
		Key: "events", Timeout: time.Minute, MemorySize: 256, ReservedConcurrency: 3, Environment: map[string]string{"OWN": "3"},
		EventSource: &EventSource{Queue: "Inbox", BatchSize: 1000, BatchingWindow: 2 * time.Second, MaximumConcurrency: 3, ReportBatchItemFailures: true},
	}}
	if diff := cmp.Diff(wantFunctions, functions); diff != "" {
		t.Error(diff)
	}
	wantQueues := []Queue{
		{Name: "Dead", VisibilityTimeout: 30 * time.Second, Retention: 4 * 24 * time.Hour},
		{Name: "Inbox", VisibilityTimeout: 362 * time.Second, Retention: 24 * time.Hour, DeadLetterQueue: "Dead", MaxReceiveCount: 5},
	}
	if diff := cmp.Diff(wantQueues, queues); diff != "" {
		t.Error(diff)
	}
}

func TestTheEventsOfSESHaveTheirQueue(t *testing.T) {
	functions, err := Functions()
	if err != nil {
		t.Fatal(err)
	}
	queues, err := Queues()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		if f.EventSource != nil && f.Key != "events" || f.EventSource == nil && f.Key == "events" {
			t.Errorf("%s has the event source %+v", f.Key, f.EventSource)
		}
	}
	for _, q := range queues {
		if q.Retention != 14*24*time.Hour {
			t.Errorf("%s keeps messages for %v", q.Name, q.Retention)
		}
	}
}

func TestWhatBreaksTheRulesOfLambdaAndSQSIsRefused(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"batchSize: 1000", "batchSize: 0", "events: sqs: batchSize is 0"},
		{"batchSize: 1000", "batchSize: 10001", "batchSize is 10001: it must be 1 to 10000"},
		{"maximumBatchingWindow: 2", "maximumBatchingWindow: 301", "maximumBatchingWindow is 5m1s: it must be 0 to 300 seconds"},
		{"maximumBatchingWindow: 2", "maximumBatchingWindow: 0", "more than 10 needs a maximumBatchingWindow"},
		{"maximumConcurrency: *consumers", "maximumConcurrency: 1", "maximumConcurrency is 1: it must be 2 to 1000"},
		{"maximumConcurrency: *consumers", "maximumConcurrency: 4", "maximumConcurrency is 4, but reservedConcurrency 3"},
		{"maximumConcurrency: *consumers", "maximumConcurency: 3", "events: sqs: maximumConcurency is not known here"},
		{"        functionResponseType: ReportBatchItemFailures\n", "", "functionResponseType must be ReportBatchItemFailures"},
		{"arn: { Fn::GetAtt: [Inbox, Arn] }", "arn: arn:aws:sqs:us-east-1:000000000000:inbox", "functions.yml"},
		{"[Inbox, Arn]", "[Inbox, QueueName]", "events: sqs: arn must be { Fn::GetAtt: [<name in queues.yml>, Arn] }"},
		{"- sqs:", "- sns:", "events: one sqs event is all that a function can have here"},
		{"  events:\n", "  events:\n    - schedule: rate(1 minute)\n", "events: one sqs event is all"},

		{"[Inbox, Arn]", "[Outbox, Arn]", "functions.yml: events: events: sqs: the queue Outbox is not in queues.yml"},
		{"timeout: 60", "timeout: 61", "VisibilityTimeout of Inbox is 6m2s: it must be 6 x timeout + maximumBatchingWindow, 6m8s, at least"},
		{"VisibilityTimeout: 362", "VisibilityTimeout: 361", "VisibilityTimeout of Inbox is 6m1s"},
		{"      VisibilityTimeout: 362\n", "", "VisibilityTimeout of Inbox is 30s"},
		{"[Inbox, Arn]", "[Dead, Arn]", "VisibilityTimeout of Dead is 30s"},
		{"      RedrivePolicy: { deadLetterTargetArn: { Fn::GetAtt: [Dead, Arn] }, maxReceiveCount: 5 }\n", "", "Inbox has no dead-letter queue"},

		{"VisibilityTimeout: 362", "VisibilityTimeout: 43201", "queues.yml: Inbox: VisibilityTimeout is 43201"},
		{"MessageRetentionPeriod: 86400", "MessageRetentionPeriod: 59", "queues.yml: Inbox: MessageRetentionPeriod is 59"},
		{"MessageRetentionPeriod: 86400", "MessageRetentionPeriod: 432000", "queues.yml: Inbox: its dead-letter queue keeps messages for 96h0m0s, and it for 120h0m0s"},
		{"maxReceiveCount: 5", "maxReceiveCount: 4", "queues.yml: Inbox: RedrivePolicy: maxReceiveCount is 4: it must be 5 to 1000"},
		{"[Dead, Arn]", "[Gone, Arn]", "queues.yml: Inbox: its dead-letter queue Gone is not in queues.yml"},
		{"[Dead, Arn]", "[Inbox, Arn]", "queues.yml: Inbox: it is its own dead-letter queue"},
		{"[Dead, Arn]", "[Dead]", "queues.yml: Inbox: RedrivePolicy: deadLetterTargetArn must be"},
		{"Type: AWS::SQS::Queue", "Type: AWS::SNS::Topic", "queues.yml: Inbox: its Type is \"AWS::SNS::Topic\""},
		{"VisibilityTimeout: 362", "DelaySeconds: 10", "DelaySeconds not found"},
		{inbox, "", "reading queues.yml: it has no queues"},
		{inbox, "Resources: [", "reading queues.yml"},
	} {
		if !strings.Contains(consumer+inbox, test.old) {
			t.Fatalf("the texts have no %q", test.old)
		}
		functions, err := Parse([]byte(strings.Replace(consumer, test.old, test.new, 1)))
		var queues []Queue
		if err == nil {
			queues, err = ParseQueues([]byte(strings.Replace(inbox, test.old, test.new, 1)))
		}
		if err == nil {
			err = Check(functions, queues)
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q instead of %q: got %v, want %q", test.new, test.old, err, test.want)
		}
	}
}
