package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"fanmail/local/lambda"
	"fanmail/local/postgres"
	"fanmail/local/s3"
	"fanmail/local/ses"
	"fanmail/local/stepfunctions"
	"fanmail/statemachine"
)

// startDatabase starts a private PostgreSQL unless there is a URL, chooses the role of the functions, and watches the sessions.
func (r *Runtime) startDatabase(ctx context.Context) error {
	r.databaseURL = r.options.DatabaseURL
	if _, err := url.Parse(r.databaseURL); err != nil && strings.Contains(r.databaseURL, "://") {
		return errors.New("DATABASE_URL is malformed: write postgres://user:password@host:5432/database, and percent-encode the special characters of the user and the password")
	}
	if r.databaseURL == "" {
		// A temporary server chooses its directory itself: the user who runs it may not enter ours.
		config := postgres.Config{
			Logger: r.options.Logger, MaxConnections: max(100, r.ConnectionBound()+20), CountStatements: r.options.CountStatements,
		}
		if r.options.Directory != "" {
			config.Directory = filepath.Join(r.directory, "postgres")
		}
		server, err := postgres.Start(ctx, config)
		if err != nil {
			return err
		}
		r.onClose("PostgreSQL", server.Stop)
		r.databaseURL = server.URL()
	}
	if err := r.chooseRole(ctx); err != nil {
		return err
	}
	connections, err := watch(ctx, r.databaseURL, r.role.name, r.options.Logger)
	if err != nil {
		return err
	}
	r.connections = connections
	r.onClose("the watch of the connections", connections.close)
	return nil
}

// startServices makes the services and returns the handler of the endpoint.
func (r *Runtime) startServices(binaries map[string]string) (http.Handler, error) {
	var err error
	r.ses, err = ses.New(ses.Config{
		Directory:     filepath.Join(r.directory, "ses"),
		MaxSendRate:   r.options.MaxSendRate,
		Max24HourSend: r.options.Max24HourSend,
		Latency:       r.options.SESLatency,
		Region:        Region,
		Logger:        r.options.Logger,
	})
	if err != nil {
		return nil, err
	}
	r.onClose("SES", r.ses.Close)

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
	r.onClose("Lambda", r.closeLambda)

	names := map[string]string{}
	for _, f := range r.functions {
		names[f.Key] = functionName + f.Key
	}
	config := clientConfig(r.endpoint)
	r.stepFunctions = stepfunctions.New(stepfunctions.Config{
		Region:    Region,
		Account:   Account,
		Lambda:    awslambda.NewFromConfig(config),
		S3:        awss3.NewFromConfig(config),
		Functions: names,
		Logger:    r.options.Logger,
	})
	r.onClose("Step Functions", r.stepFunctions.Close)
	if r.machineARN, err = r.stepFunctions.CreateStateMachine(stateMachine, statemachine.Definition); err != nil {
		return nil, err
	}
	return route(services{stepFunctions: r.stepFunctions, ses: r.ses, lambda: r.lambda, s3: objects}), nil
}

// clientConfig is for clients at our own endpoint. They never retry, because the state machine says what is tried again;
// and they wait as long as a Lambda function may take.
func clientConfig(endpoint string) aws.Config {
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
	client := awslambda.NewFromConfig(clientConfig(r.endpoint))
	output, err := client.Invoke(ctx, &awslambda.InvokeInput{FunctionName: aws.String(functionName + migrateKey), Payload: []byte("{}")})
	if err != nil {
		return fmt.Errorf("invoking migrate: %w", err)
	}
	if output.FunctionError == nil {
		var answer struct {
			Reason     string
			Statements []string
			Warning    string
		}
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
