package main

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"fanmail/local/stepfunctions"
	"fanmail/statemachine"
)

// nobody is a Lambda and a S3 that are never called.
type nobody struct{ stepfunctions.S3API }

func (nobody) Invoke(context.Context, *awslambda.InvokeInput, ...func(*awslambda.Options)) (*awslambda.InvokeOutput, error) {
	return nil, errors.New("not here")
}

func (nobody) GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	return nil, errors.New("not here")
}

func TestTheNaiveStateMachineLoads(t *testing.T) {
	service := stepfunctions.New(stepfunctions.Config{Lambda: nobody{}, S3: nobody{}, Functions: map[string]string{"naive": "n", "prepare": "p"}})
	defer service.Close()
	if _, err := service.CreateStateMachine("naive", naiveDefinition); err != nil {
		t.Error(err)
	}
}

// TestTheNaiveMapIsFanmailsWithoutTheCap keeps the experiment fair: the Map differs in what the accident was, and not in what
// makes it tolerant of failures.
func TestTheNaiveMapIsFanmailsWithoutTheCap(t *testing.T) {
	read := func(definition []byte) map[string]any {
		var d struct {
			States struct{ Send map[string]any }
		}
		if err := json.Unmarshal(definition, &d); err != nil {
			t.Fatal(err)
		}
		return d.States.Send
	}
	naive, ours := read(naiveDefinition), read(statemachine.Definition)
	if naive["MaxConcurrency"] != 0.0 || naive["MaxConcurrencyPath"] != nil || ours["MaxConcurrencyPath"] == nil {
		t.Error("the naive Map has a cap, or Fanmail's has none")
	}
	for _, same := range []string{"Type", "ToleratedFailurePercentage"} {
		if diff := cmp.Diff(ours[same], naive[same]); diff != "" {
			t.Errorf("%s: %s", same, diff)
		}
	}
	mode := func(m map[string]any) any { return m["ItemProcessor"].(map[string]any)["ProcessorConfig"] }
	if diff := cmp.Diff(mode(ours), mode(naive)); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheNaiveSenderIsCalledAtItsOwnService(t *testing.T) {
	naive := awslambda.New(awslambda.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1})
	// A nil client panics when it is called, so a call that goes astray is seen.
	calls := func(b byName, function string) (panicked bool) {
		defer func() { panicked = recover() != nil }()
		_, _ = b.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: &function})
		return false
	}
	arn := "arn:aws:lambda:us-east-1:000000000000:function:"
	if calls(byName{naive: naive}, arn+naiveFunction) || !calls(byName{naive: naive}, arn+"fanmail-local-prepare") {
		t.Error("a call went to the wrong service")
	}
}
