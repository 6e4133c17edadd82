package sqs

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

func TestQueuesAreFoundAndDescribed(t *testing.T) {
	s, c := serve(t, Config{Queues: two(90*time.Second, 5)})
	ctx := t.Context()
	got, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
	if err != nil || *got.QueueUrl != s.config.Endpoint+"/000000000000/jobs" {
		t.Fatalf("got %+v, %v", got, err)
	}
	var names []string
	pages := sqs.NewListQueuesPaginator(c, &sqs.ListQueuesInput{MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, page.QueueUrls...)
	}
	if strings.Join(names, " ") != s.URL("dead")+" "+s.URL("jobs") {
		t.Errorf("the pages show %q", names)
	}
	prefixed, err := c.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: aws.String("jo")})
	if err != nil || len(prefixed.QueueUrls) != 1 {
		t.Errorf("with a prefix: %+v, %v", prefixed, err)
	}

	send(t, s, "jobs", "a", "b", "c")
	take(t, s, "jobs", 2)
	if err := s.Send("jobs", Message{"d", time.Minute}); err != nil {
		t.Fatal(err)
	}
	all, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: got.QueueUrl, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"QueueArn":                              "arn:aws:sqs:us-east-1:000000000000:jobs",
		"ApproximateNumberOfMessages":           "1",
		"ApproximateNumberOfMessagesNotVisible": "2",
		"ApproximateNumberOfMessagesDelayed":    "1",
		"VisibilityTimeout":                     "90",
		"RedrivePolicy":                         `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":5}`,
	} {
		if all.Attributes[name] != want {
			t.Errorf("%s is %q, want %q", name, all.Attributes[name], want)
		}
	}
	one, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: urlOf(s, "dead"), AttributeNames: []types.QueueAttributeName{"QueueArn", "RedrivePolicy", "Policy"}})
	if err != nil || len(one.Attributes) != 1 {
		t.Errorf("asked for three, of which it has one: %+v, %v", one, err)
	}
}

func TestAMessageGoesThroughItsLife(t *testing.T) {
	s, c := serve(t, Config{Queues: two(time.Minute, 3)})
	ctx, jobs := t.Context(), urlOf(s, "jobs")
	attributes := map[string]types.MessageAttributeValue{
		"test.kind":  {DataType: aws.String("String"), StringValue: aws.String("bounce")},
		"test.bytes": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 1}},
		"other":      {DataType: aws.String("Number.int"), StringValue: aws.String("7")},
	}
	sent, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: jobs, MessageBody: aws.String(`{"ä":"<&>"}`), MessageAttributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	// The digest was computed apart, from SQS's description of it: other, test.bytes, test.kind.
	if *sent.MD5OfMessageAttributes != "ce923462d9ca62f85a9970a84d31fed2" {
		t.Errorf("the attributes' digest is %s", *sent.MD5OfMessageAttributes)
	}
	before := time.Now().UnixMilli()
	received := func(in sqs.ReceiveMessageInput) types.Message {
		t.Helper()
		in.QueueUrl = jobs
		out, err := c.ReceiveMessage(ctx, &in)
		if err != nil || len(out.Messages) != 1 {
			t.Fatalf("received %+v, %v", out, err)
		}
		return out.Messages[0]
	}
	first := received(sqs.ReceiveMessageInput{MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"test.*"}})
	if *first.Body != `{"ä":"<&>"}` || *first.MessageId != *sent.MessageId || *first.MD5OfBody != *sent.MD5OfMessageBody || len(first.MessageAttributes) != 2 ||
		*first.MessageAttributes["test.kind"].StringValue != "bounce" || string(first.MessageAttributes["test.bytes"].BinaryValue) != "\x00\x01" {
		t.Errorf("received %+v", first)
	}
	at, err := strconv.ParseInt(first.Attributes["ApproximateFirstReceiveTimestamp"], 10, 64)
	if err != nil || at < before || first.Attributes["ApproximateReceiveCount"] != "1" || first.Attributes["SentTimestamp"] > first.Attributes["ApproximateFirstReceiveTimestamp"] {
		t.Errorf("its attributes are %v", first.Attributes)
	}
	none, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: jobs})
	if err != nil || len(none.Messages) != 0 {
		t.Errorf("a hidden message was received: %+v, %v", none, err)
	}

	change := func(handle *string, seconds int32) error {
		_, err := c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: jobs, ReceiptHandle: handle, VisibilityTimeout: seconds})
		return err
	}
	if err := change(first.ReceiptHandle, 0); err != nil {
		t.Fatal(err)
	}
	var notInFlight *types.MessageNotInflight
	if err := change(first.ReceiptHandle, 10); !errors.As(err, &notInFlight) {
		t.Errorf("changing what is visible answers %v", err)
	}
	//lint:ignore SA1019 The AWS CLI and older programs still ask so.
	second := received(sqs.ReceiveMessageInput{AttributeNames: []types.QueueAttributeName{"ApproximateReceiveCount"}})
	if second.Attributes["ApproximateReceiveCount"] != "2" || len(second.Attributes) != 1 || len(second.MessageAttributes) != 0 {
		t.Errorf("received again %+v", second)
	}
	for _, m := range []types.Message{first, second, second} {
		if _, err := c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: jobs, ReceiptHandle: m.ReceiptHandle}); err != nil {
			t.Error(err)
		}
	}
	expectCounts(t, s, "jobs", Counts{})
}

func TestBatchesAnswerForEachEntry(t *testing.T) {
	s, c := serve(t, Config{Queues: two(time.Minute, 3)})
	ctx, jobs := t.Context(), urlOf(s, "jobs")
	sent, err := c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: jobs, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("A")},
		{Id: aws.String("b"), MessageBody: aws.String("B\x01")},
		{Id: aws.String("c"), MessageBody: aws.String("C"), DelaySeconds: 60},
		{Id: aws.String("d"), MessageBody: aws.String("D"), DelaySeconds: 901},
	}})
	if err != nil || len(sent.Successful) != 2 || *sent.Successful[1].Id != "c" || len(sent.Failed) != 2 ||
		*sent.Failed[0].Id != "b" || *sent.Failed[0].Code != "InvalidMessageContents" || !sent.Failed[0].SenderFault || *sent.Failed[1].Code != "InvalidParameterValue" {
		t.Errorf("sending answers %+v, %v", sent, err)
	}
	expectCounts(t, s, "jobs", Counts{Visible: 1, Delayed: 1})
	got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: jobs, MaxNumberOfMessages: 10})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("received %+v, %v", got, err)
	}
	deleted, err := c.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: jobs, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("x"), ReceiptHandle: aws.String("nonsense")},
		{Id: aws.String("y"), ReceiptHandle: got.Messages[0].ReceiptHandle},
	}})
	if err != nil || len(deleted.Successful) != 1 || *deleted.Successful[0].Id != "y" || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleting answers %+v, %v", deleted, err)
	}
	expectCounts(t, s, "jobs", Counts{Delayed: 1})
}

func TestAPurgedQueueIsEmptyAndUsable(t *testing.T) {
	s, c := serve(t, Config{Queues: two(time.Minute, 3)})
	send(t, s, "jobs", "a", "b")
	old := take(t, s, "jobs", 1)
	if _, err := c.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: urlOf(s, "jobs")}); err != nil {
		t.Fatal(err)
	}
	expectCounts(t, s, "jobs", Counts{})
	send(t, s, "jobs", "c")
	take(t, s, "jobs", 1)
	if err := s.delete(s.queues["jobs"], receipts(old)); err != nil {
		t.Fatal(err)
	}
	expectCounts(t, s, "jobs", Counts{InFlight: 1})
}

func TestDeadLettersGoBackWhereTheyCameFrom(t *testing.T) {
	s, c := serve(t, Config{Queues: append(two(time.Millisecond, 1), Queue{Name: "else"})})
	ctx := t.Context()
	texts := numbered(2*maxMove + 5)
	send(t, s, "jobs", texts...)
	die := func() {
		deadline := time.Now().Add(30 * time.Second)
		for counts := (Counts{}); counts.Visible < len(texts) && time.Now().Before(deadline); {
			take(t, s, "jobs", 1000)
			var err error
			if counts, err = s.Counts("dead"); err != nil {
				t.Fatal(err)
			}
		}
		expectCounts(t, s, "dead", Counts{Visible: len(texts)})
	}
	die()
	dead, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: urlOf(s, "dead"), MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil || len(dead.Messages) != 1 || dead.Messages[0].Attributes["DeadLetterQueueSourceArn"] != s.arn("jobs") {
		t.Fatalf("received %+v, %v", dead, err)
	}
	move := &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(s.arn("dead"))}
	if out, err := c.StartMessageMoveTask(ctx, move); err != nil || *out.TaskHandle == "" {
		t.Fatalf("moving answers %+v, %v", out, err)
	}
	expectCounts(t, s, "dead", Counts{InFlight: 1})
	expectCounts(t, s, "jobs", Counts{Visible: len(texts) - 1})
	back := take(t, s, "jobs", 1)
	if back[0].received != 1 || back[0].source != "" || back[0].body == *dead.Messages[0].Body {
		t.Errorf("it came back as %+v", back[0])
	}
	if _, err := c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: urlOf(s, "dead"), ReceiptHandle: dead.Messages[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	die()
	move.DestinationArn = aws.String(s.arn("else"))
	if _, err := c.StartMessageMoveTask(ctx, move); err != nil {
		t.Fatal(err)
	}
	expectCounts(t, s, "else", Counts{Visible: len(texts)})

	var missing *types.ResourceNotFoundException
	_, err = c.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String("arn:aws:sqs:us-east-1:1:dead")})
	if !errors.As(err, &missing) {
		t.Errorf("moving from nowhere answers %v", err)
	}
	for _, in := range []sqs.StartMessageMoveTaskInput{
		{SourceArn: aws.String(s.arn("jobs"))},
		{SourceArn: aws.String(s.arn("dead")), DestinationArn: aws.String(s.arn("dead"))},
		{SourceArn: aws.String(s.arn("dead")), MaxNumberOfMessagesPerSecond: aws.Int32(501)},
	} {
		var problem smithy.APIError
		if _, err := c.StartMessageMoveTask(ctx, &in); !errors.As(err, &problem) || problem.ErrorCode() != "InvalidParameterValue" {
			t.Errorf("%+v answers %v", in, err)
		}
	}
}

func TestARedriveThatCannotEndMovesNothing(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 3)})
	send(t, s, "dead", "sent here directly")
	if n, err := s.redrive(s.queues["dead"], nil); n != 0 || err == nil || !strings.Contains(err.Error(), "give a DestinationArn") {
		t.Errorf("got %d, %v", n, err)
	}
	expectCounts(t, s, "dead", Counts{Visible: 1})
}

func TestBadRequestsGetSQSsErrors(t *testing.T) {
	s, c := serve(t, Config{Queues: two(time.Minute, 3)})
	ctx, jobs := t.Context(), urlOf(s, "jobs")
	send(t, s, "dead", "a")
	foreign := take(t, s, "dead", 1)[0].receipt.String()
	sending := func(in sqs.SendMessageInput) error {
		in.QueueUrl = jobs
		_, err := c.SendMessage(ctx, &in)
		return err
	}
	receiving := func(in sqs.ReceiveMessageInput) error {
		if in.QueueUrl == nil {
			in.QueueUrl = jobs
		}
		_, err := c.ReceiveMessage(ctx, &in)
		return err
	}
	entries := func(n int, id func(int) string, body string) error {
		in := []types.SendMessageBatchRequestEntry{}
		for i := range n {
			in = append(in, types.SendMessageBatchRequestEntry{Id: aws.String(id(i)), MessageBody: &body})
		}
		_, err := c.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: jobs, Entries: in})
		return err
	}
	_, noSuch := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nowhere")})
	_, badHandle := c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: jobs, ReceiptHandle: &foreign})
	_, unknown := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: jobs, AttributeNames: []types.QueueAttributeName{"Colour"}})
	_, created := c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("x")})
	_, hidden := c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: jobs, ReceiptHandle: &foreign, VisibilityTimeout: 43201})
	text := func(kind, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: &value}}
	}
	tests := map[string]struct {
		err  error
		want string
		kind any
	}{
		"no queue":             {noSuch, "AWS.SimpleQueueService.NonExistentQueue", new(*types.QueueDoesNotExist)},
		"another account":      {receiving(sqs.ReceiveMessageInput{QueueUrl: aws.String(s.config.Endpoint + "/1/jobs")}), "AWS.SimpleQueueService.NonExistentQueue", new(*types.QueueDoesNotExist)},
		"not a URL":            {receiving(sqs.ReceiveMessageInput{QueueUrl: aws.String("jobs")}), "AWS.SimpleQueueService.NonExistentQueue", new(*types.QueueDoesNotExist)},
		"empty body":           {sending(sqs.SendMessageInput{MessageBody: aws.String("")}), "MissingParameter", nil},
		"characters":           {sending(sqs.SendMessageInput{MessageBody: aws.String("\v")}), "InvalidMessageContents", new(*types.InvalidMessageContents)},
		"too long":             {sending(sqs.SendMessageInput{MessageBody: aws.String(strings.Repeat("x", maxMessageBytes+1))}), "InvalidParameterValue", nil},
		"delay":                {sending(sqs.SendMessageInput{MessageBody: aws.String("a"), DelaySeconds: 901}), "InvalidParameterValue", nil},
		"attribute's type":     {sending(sqs.SendMessageInput{MessageBody: aws.String("a"), MessageAttributes: text("Colour", "red")}), "InvalidParameterValue", nil},
		"attribute's value":    {sending(sqs.SendMessageInput{MessageBody: aws.String("a"), MessageAttributes: text("String", "")}), "InvalidParameterValue", nil},
		"attribute's contents": {sending(sqs.SendMessageInput{MessageBody: aws.String("a"), MessageAttributes: text("String", "\v")}), "InvalidMessageContents", nil},
		"FIFO":                 {sending(sqs.SendMessageInput{MessageBody: aws.String("a"), MessageGroupId: aws.String("g")}), "AWS.SimpleQueueService.UnsupportedOperation", new(*types.UnsupportedOperation)},
		"eleven":               {receiving(sqs.ReceiveMessageInput{MaxNumberOfMessages: 11}), "InvalidParameterValue", nil},
		"long wait":            {receiving(sqs.ReceiveMessageInput{WaitTimeSeconds: 21}), "InvalidParameterValue", nil},
		"visibility":           {hidden, "InvalidParameterValue", nil},
		"handle":               {badHandle, "ReceiptHandleIsInvalid", new(*types.ReceiptHandleIsInvalid)},
		"attribute":            {unknown, "InvalidAttributeName", new(*types.InvalidAttributeName)},
		"empty batch":          {entries(0, strconv.Itoa, "a"), "AWS.SimpleQueueService.EmptyBatchRequest", new(*types.EmptyBatchRequest)},
		"eleven entries":       {entries(11, strconv.Itoa, "a"), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", new(*types.TooManyEntriesInBatchRequest)},
		"same id":              {entries(2, func(int) string { return "x" }, "a"), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", new(*types.BatchEntryIdsNotDistinct)},
		"bad id":               {entries(1, func(int) string { return "ä" }, "a"), "AWS.SimpleQueueService.InvalidBatchEntryId", new(*types.InvalidBatchEntryId)},
		"batch too long":       {entries(3, strconv.Itoa, strings.Repeat("x", maxMessageBytes/2)), "AWS.SimpleQueueService.BatchRequestTooLong", new(*types.BatchRequestTooLong)},
		"unsupported":          {created, "AWS.SimpleQueueService.UnsupportedOperation", new(*types.UnsupportedOperation)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got smithy.APIError
			if !errors.As(test.err, &got) || got.ErrorCode() != test.want || got.ErrorMessage() == "" {
				t.Errorf("got %v, want %s", test.err, test.want)
			}
			if test.kind != nil && !errors.As(test.err, test.kind) {
				t.Errorf("the SDK has no %T in %v", test.kind, test.err)
			}
		})
	}
	if !strings.Contains(created.Error(), "the local SQS does not support CreateQueue") {
		t.Errorf("an unsupported operation is not named: %v", created)
	}
	expectCounts(t, s, "jobs", Counts{})
}

// TestErrorsCarryWhatOlderClientsRead is for clients that show the codes from before the JSON protocol, such as boto3.
func TestErrorsCarryWhatOlderClientsRead(t *testing.T) {
	s, _ := serve(t, Config{Queues: two(time.Minute, 3)})
	ask := func(method, target, body string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.config.Endpoint, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if target != "" {
			request.Header.Set("X-Amz-Target", target)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d %s %s %s", response.StatusCode, response.Header.Get("Content-Type"), response.Header.Get("X-Amzn-Query-Error"), answer)
	}
	got := ask("POST", "AmazonSQS.GetQueueUrl", `{"QueueName":"nowhere"}`)
	if want := "400 application/x-amz-json-1.0 AWS.SimpleQueueService.NonExistentQueue;Sender " +
		`{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}` + "\n"; got != want {
		t.Errorf("got %s", got)
	}
	for _, test := range []struct{ method, target, body, want string }{
		{"GET", "", "", "want POST with X-Amz-Target"},
		{"POST", "", "Action=ListQueues", "want POST with X-Amz-Target"},
		{"POST", "AmazonSQS.ListQueues", "{", "SerializationException"},
		{"POST", "AmazonSQS.PurgeQueue", "{}", "MissingParameter;Sender"},
	} {
		if got := ask(test.method, test.target, test.body); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, test.want) {
			t.Errorf("%+v answers %s", test, got)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ask("POST", "AmazonSQS.PurgeQueue", `{"QueueUrl":"`+s.URL("jobs")+`"}`); !strings.HasPrefix(got, "500 ") || !strings.Contains(got, "InternalError;Receiver") {
		t.Errorf("a closed service answers %s", got)
	}
}
