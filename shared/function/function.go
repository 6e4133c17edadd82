// Package function is the common main of the Lambda functions: strict input, logs as JSON, the warm database handle
// closed on SIGTERM, and errors named as the state machine matches them.
package function

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"fanmail/shared/database"
	"fanmail/shared/workflow"
)

// Start runs the function until its execution environment is shut down. db may be nil. Input with a field that In does not
// have is refused, unless there is an option Lenient.
func Start[In, Out any](db *database.Handle, handle func(context.Context, In) (Out, error), options ...lambda.Option) {
	slog.SetDefault(lambdacontext.NewLogger())
	// The last option of a kind counts.
	options = slices.Concat([]lambda.Option{
		lambda.WithDisallowUnknownFields(true),
		lambda.WithEnableSIGTERM(func() {
			if db != nil {
				_ = db.Close()
			}
		}),
	}, options)
	lambda.StartWithOptions(
		func(ctx context.Context, in In) (Out, error) {
			out, err := handle(ctx, in)
			if err != nil {
				err = Name(err)
				slog.ErrorContext(ctx, err.Error())
			}
			return out, err
		}, options...)
}

// Lenient is for a function whose input AWS itself makes, and may add to.
func Lenient() lambda.Option { return lambda.WithDisallowUnknownFields(false) }

// Fail ends the process during initialisation with one line that says why, in the log and as the error of the invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror
func Fail(err error) {
	slog.Error(err.Error())
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		body, _ := json.Marshal(map[string]string{"errorType": workflow.InvalidConfiguration, "errorMessage": err.Error()}) // strings always marshal
		client := http.Client{Timeout: time.Second}
		if answer, err := client.Post("http://"+api+"/2018-06-01/runtime/init/error", "application/json", bytes.NewReader(body)); err == nil {
			_ = answer.Body.Close()
		}
	}
	os.Exit(1)
}

// Name returns the named error that is, or stands for, err, unwrapped: Step Functions matches the type of the outermost
// error only. An error without a name comes back as it is, and only States.ALL catches it.
func Name(err error) error {
	// What the code itself named must not be explained away by a database error beside it.
	if named := workflow.Named(err); named != nil {
		return named
	}
	if named := workflow.Named(database.Explain(err)); named != nil {
		return named
	}
	// What the SDK itself would try again: throttles, 5xx, broken connections.
	if retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary {
		return &workflow.Interrupted{Message: err.Error()}
	}
	return err
}
