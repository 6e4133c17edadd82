package sqs

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"
)

// TestAnEventLooksAsLambdasDoes compares with the example of the documentation, in its keys and kinds of values.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func TestAnEventLooksAsLambdasDoes(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 3), Region: "us-east-2", Account: "123456789012"})
	b := newBatch(s.queues["jobs"], 10)
	for range 2 {
		b.add(s, &message{
			id: uuid.MustParse("059f36b4-87a3-44ab-83d2-661975830a7d"), body: `Test <message>`, sent: 1545082649183, received: 1, firstReceived: 1545082649185,
			attributes: map[string]attribute{"a": {DataType: "String", StringValue: aws.String("100")}},
			receipt:    receipt{queue: "jobs"},
		})
	}
	want := `{"messageId":"059f36b4-87a3-44ab-83d2-661975830a7d","receiptHandle":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABqb2Jz","body":"Test <message>",` +
		`"md5OfBody":"d2aa88112431b58a8dbcc2476bf9d530","md5OfMessageAttributes":"9e66373e4af85f771836de0f80c50280",` +
		`"attributes":{"ApproximateFirstReceiveTimestamp":"1545082649185","ApproximateReceiveCount":"1","SenderId":"123456789012","SentTimestamp":"1545082649183"},` +
		`"messageAttributes":{"a":{"stringValue":"100","stringListValues":[],"binaryListValues":[],"dataType":"String"}},` +
		`"eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:jobs","eventSource":"aws:sqs","awsRegion":"us-east-2"}`
	got := string(b.event())
	if got != `{"Records":[`+want+`,`+want+`]}` || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant twice %s", got, want)
	}
}

func TestFailuresAreReadAsLambdaReadsThem(t *testing.T) {
	a, b := uuid.MustParse("11111111-1111-4111-8111-111111111111"), uuid.MustParse("22222222-2222-4222-8222-222222222222")
	batch := []receipt{{id: a}, {id: b}}
	const whole = -1
	tests := []struct {
		response string
		failed   int
	}{
		{``, 0}, {`null`, 0}, {`{}`, 0}, {`{"batchItemFailures":[]}`, 0}, {`{"batchItemFailures":null}`, 0}, {`{"BatchItemFailures":[{"itemIdentifier":"x"}]}`, 0},
		{`{"batchItemFailures":[{"itemIdentifier":"11111111-1111-4111-8111-111111111111"}]}`, 1},
		{`{"batchItemFailures":[{"itemIdentifier":"11111111-1111-4111-8111-111111111111"},{"itemIdentifier":"11111111-1111-4111-8111-111111111111"}]}`, 1},
		{`{"batchItemFailures":[{"itemIdentifier":"11111111-1111-4111-8111-111111111111"},{"itemIdentifier":"22222222-2222-4222-8222-222222222222"}]}`, 2},
		{`{"batchItemFailures":[{"itemIdentifier":"11111111-1111-4111-8111-111111111111"},{"itemIdentifier":"nobody"}]}`, whole},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, whole},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, whole},
		{`{"batchItemFailures":[{"itemIdentifier":7}]}`, whole},
		{`{"batchItemFailures":[{"ItemIdentifier":"11111111-1111-4111-8111-111111111111"}]}`, whole},
		{`{"batchItemFailures":["11111111-1111-4111-8111-111111111111"]}`, whole},
		{`{"batchItemFailures":{}}`, whole}, {`"ok"`, whole}, {`[]`, whole}, {`{`, whole}, {`ok`, whole},
	}
	for _, test := range tests {
		failed, err := failures([]byte(test.response), batch)
		got := len(failed)
		if err != nil {
			got = whole
		}
		if got != test.failed {
			t.Errorf("%s: %d failed, %v; want %d", test.response, got, err, test.failed)
		}
	}
}

func FuzzFailures(f *testing.F) {
	f.Add([]byte(`{"batchItemFailures":[{"itemIdentifier":"11111111-1111-4111-8111-111111111111"}]}`))
	batch := []receipt{{id: uuid.MustParse("11111111-1111-4111-8111-111111111111")}}
	f.Fuzz(func(t *testing.T, response []byte) {
		failed, err := failures(response, batch)
		if len(failed) > 1 || err != nil && failed != nil {
			t.Errorf("%v, %v", failed, err)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	q := &queue{Queue: Queue{Name: "jobs"}}
	f.Add(receipt{queue: "jobs", number: 7, id: uuid.New(), received: 2, doubled: true}.String())
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, handle string) {
		r, bad := q.receipt(handle)
		if bad != nil {
			return
		}
		if again, bad := q.receipt(r.String()); bad != nil || again != r {
			t.Errorf("%+v became %+v", r, again)
		}
	})
}
