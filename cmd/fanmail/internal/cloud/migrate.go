package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

// Migrate invokes the function that keeps tables and role, and waits for its end: for its timeout and a little more.
// It is never invoked a second time for the same call, because the first may still be at work.
func (c *Cloud) Migrate(ctx context.Context) (workflow.MigrateOutput, error) {
	var out workflow.MigrateOutput
	function, err := c.output(ctx, deployment.MigrateFunction)
	if err != nil {
		return out, err
	}
	patience, err := migratePatience()
	if err != nil {
		return out, err
	}
	doing := "migrating by the function " + function
	call := &lambda.InvokeInput{FunctionName: &function, Payload: []byte("{}")}
	answer, err := c.functions.Invoke(ctx, call, func(o *lambda.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = silentFor(o.HTTPClient, patience)
	})
	if ctx.Err() == nil && lost(err) {
		return out, fmt.Errorf("%s: its answer was lost, and it may still be at work: run `fanmail migrate` again "+
			"in %v, it changes nothing twice", doing, patience.Round(time.Minute))
	}
	if err != nil {
		return out, c.explain(ctx, doing, err)
	}
	if answer.FunctionError != nil {
		return out, fmt.Errorf("%s: %w", doing, readFunctionError(answer.Payload))
	}
	if err := json.Unmarshal(answer.Payload, &out); err != nil {
		return out, fmt.Errorf("%s: its answer can't be read: %w", doing, err)
	}
	return out, nil
}

// migratePatience is longer than the function may take, with a cold start.
func migratePatience() (time.Duration, error) {
	functions, err := deployment.Functions()
	if err != nil {
		return 0, err
	}
	return deployment.Find(functions, deployment.MigrateKey).Timeout + 30*time.Second, nil
}

// lost tells whether a call may have reached AWS although no answer came: the connection broke, or the answer took
// too long.
func lost(err error) bool {
	if broken, ok := errors.AsType[*net.OpError](err); ok {
		return broken.Op != "dial"
	}
	return timedOut(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
