package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"fanmail/local/lambda"
	"fanmail/local/s3"
	"fanmail/local/ses"
	"fanmail/local/stepfunctions"
	"fanmail/shared/workflow"
	"fanmail/statemachine"
)

// startServices makes the services and returns the handler of the endpoint.
func (r *Runtime) startServices(binaries map[string]string) (http.Handler, error) {
	r.onClose("the services", r.closeServices)
	objects, err := s3.New(s3.Config{Directory: filepath.Join(r.directory, "s3"), Buckets: []string{BucketName}, Logger: r.options.Logger})
	if err != nil {
		return nil, err
	}
	r.lambda, err = lambda.New(lambda.Config{
		Functions:    r.lambdaFunctions(binaries),
		Region:       Region,
		Account:      Account,
		LogDirectory: filepath.Join(r.directory, "logs"),
		Logger:       r.options.Logger,
	})
	if err != nil {
		return nil, err
	}
	r.startFaults()
	if err := r.startQueues(); err != nil {
		return nil, err
	}
	r.ses, err = ses.New(ses.Config{
		Directory:     filepath.Join(r.directory, "ses"),
		MaxSendRate:   r.options.MaxSendRate,
		Max24HourSend: r.options.Max24HourSend,
		Latency:       r.options.SESLatency,
		Region:        Region,
		Account:       Account,
		Fault:         r.faults.SES,
		Publish:       r.publisher(),
		EventFault:    r.faults.Event,
		Clock:         r.clock.Now,
		Logger:        r.options.Logger,
	})
	if err != nil {
		return nil, err
	}

	names := map[string]string{}
	for _, f := range r.functions {
		names[f.Key] = functionName + f.Key
	}
	config := ClientConfig(r.endpoint)
	r.stepFunctions = stepfunctions.New(stepfunctions.Config{
		Region:    Region,
		Account:   Account,
		Lambda:    awslambda.NewFromConfig(config),
		S3:        awss3.NewFromConfig(config),
		Functions: names,
		Clock:     r.clock,
		Ended:     r.executionEnded,
		Logger:    r.options.Logger,
	})
	if r.machineARN, err = r.stepFunctions.CreateStateMachine(stateMachine, statemachine.Definition); err != nil {
		return nil, err
	}
	if err := r.startScheduler(config); err != nil {
		return nil, err
	}
	return route(services{
		stepFunctions: r.stepFunctions, ses: r.ses, lambda: r.lambda, sqs: r.sqs, stack: r.stack(), s3: objects, scheduler: r.scheduler,
		clock: r.clock.Handler(r.Advance), faults: r.faults,
	}), nil
}

// closeServices closes those that were made. Who calls another is closed before it: schedules, executions, and queues that invoke
// functions, then the functions, then SES. What SES has not published then, it publishes when its mailbox is opened again.
func (r *Runtime) closeServices() error {
	var problems []error
	note := func(what string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("stopping %s: %w", what, err))
		}
	}
	if r.faults != nil {
		note("the faults", r.faults.Close())
	}
	if r.scheduler != nil {
		note("the Scheduler", r.scheduler.Close())
	}
	if r.stepFunctions != nil {
		note("Step Functions", r.stepFunctions.Close())
	}
	if r.sqs != nil {
		note("SQS", r.sqs.Close())
	}
	if r.lambda != nil {
		note("Lambda", r.closeLambda())
	}
	if r.ses != nil {
		note("SES", r.ses.Close())
	}
	return errors.Join(problems...)
}

// ClientConfig is for clients at our own endpoint. They never retry, because the state machine says what is tried again;
// and they wait as long as a Lambda function may take.
func ClientConfig(endpoint string) aws.Config {
	return aws.Config{
		Region:           Region,
		BaseEndpoint:     aws.String(endpoint),
		Credentials:      credentials.NewStaticCredentialsProvider(accessKey, accessKey, ""),
		RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: &http.Transport{
			MaxIdleConns:        2000,
			MaxIdleConnsPerHost: 2000,
			IdleConnTimeout:     time.Minute,
		}},
	}
}

// migrate invokes the function that brings the ledger's tables and the functions' role up to date.
func (r *Runtime) migrate(ctx context.Context) error {
	client := awslambda.NewFromConfig(ClientConfig(r.endpoint))
	output, err := client.Invoke(ctx, &awslambda.InvokeInput{FunctionName: aws.String(functionName + migrateKey), Payload: []byte("{}")})
	if err != nil {
		return fmt.Errorf("invoking migrate: %w", err)
	}
	if output.FunctionError == nil {
		var answer workflow.MigrateOutput
		if err := json.Unmarshal(output.Payload, &answer); err != nil {
			return fmt.Errorf("reading migrate's answer: %w", err)
		}
		if len(answer.Statements) > 0 {
			r.options.Logger.Warn("PostgreSQL does not limit the functions' role", "reason", answer.Reason, "statements", answer.Statements)
		}
		if answer.Warning != "" {
			r.options.Logger.Warn(answer.Warning)
		}
		return nil
	}
	var failure struct{ ErrorMessage, ErrorType string }
	if err := json.Unmarshal(output.Payload, &failure); err != nil || failure.ErrorMessage == "" {
		failure.ErrorMessage = string(output.Payload)
	}
	return fmt.Errorf("migrate could not bring the ledger's tables up to date: %s", failure.ErrorMessage)
}
