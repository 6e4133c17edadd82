// Package cloud makes the AWS clients of the Lambda functions. Its list of calls is the whole of what they ask of AWS; the
// IAM statements of serverless.yml follow it, and a test holds it against the code of each function. A row has one
// action.
//
//	action                         functions              for
//	rds-db:connect                 all                    an IAM token (package database, DATABASE_AUTH=iam)
//	s3:AbortMultipartUpload        finish, plan, prepare  a large object that could not be written whole
//	s3:GetObject                   plan, prepare, send    campaign folders, content snapshots, the results of a wave
//	s3:ListBucket                  plan                   the results of a wave
//	s3:ListBucket                  prepare                so that a missing file is NoSuchKey and not AccessDenied
//	s3:PutObject                   finish, plan, prepare  content, rejects.csv, manifests, report.json, outcomes.csv, and the
//	                                                      copy in campaigns/ of a scheduled campaign's folder
//	                                                      (CreateMultipartUpload and its parts need no permission of their own)
//	secretsmanager:GetSecretValue  all                    the password (package database, DATABASE_AUTH=secret)
//	ses:GetAccount                 plan                   quota and rate
//	ses:SendEmail                  plan                   a probe, to see whether SES events arrive
//	ses:SendEmail                  send                   one message to one recipient
//	ses:SendRawEmail               plan, send             SendEmail with attachments, if SES asks for it
//	sqs:DeleteMessage              events                 Lambda's pollers, with the function's role: SES events
//	sqs:GetQueueAttributes         events                 the same
//	sqs:ReceiveMessage             events                 the same
//	states:DescribeExecution       prepare                whether the execution that owns a campaign still runs
package cloud

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// Config is the SDK's configuration, from the variables that Lambda gives to every function (region, credentials) and
// those that lead to other endpoints (AWS_ENDPOINT_URL ...). Profiles, single sign-on and the roles of servers, which
// config.LoadDefaultConfig would look for as well, do not exist in Lambda: they are a twelfth of each package.
func Config(context.Context) (aws.Config, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return aws.Config{}, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	c := aws.Config{
		Region:                     env.Region,
		Credentials:                credentials.StaticCredentialsProvider{Value: env.Credentials},
		HTTPClient:                 awshttp.NewBuildableClient(),
		RetryMaxAttempts:           env.RetryMaxAttempts,
		RetryMode:                  env.RetryMode,
		RequestChecksumCalculation: cmp.Or(env.RequestChecksumCalculation, aws.RequestChecksumCalculationWhenSupported),
		ResponseChecksumValidation: cmp.Or(env.ResponseChecksumValidation, aws.ResponseChecksumValidationWhenSupported),
		// The clients look here for what is of one service only, such as AWS_ENDPOINT_URL_S3.
		ConfigSources: []any{env},
	}
	if env.BaseEndpoint != "" && !aws.ToBool(env.IgnoreConfiguredEndpoints) {
		c.BaseEndpoint = &env.BaseEndpoint
	}
	return c, nil
}

// S3 returns a client with the SDK's retries.
func S3(c aws.Config) *s3.Client { return s3.NewFromConfig(c) }

// StepFunctions returns DescribeExecution of a client with the SDK's retries.
func StepFunctions(c aws.Config) DescribeExecution { return sfn.NewFromConfig(c).DescribeExecution }

// Account returns a SES client with the SDK's retries, for calls that may be repeated.
func Account(c aws.Config) *sesv2.Client { return sesv2.NewFromConfig(c) }

// SendTimeout is how long a call of SendEmail may take: FANMAIL_SES_TIMEOUT, as Go writes durations (15s), which is also the
// default. It must be 1 to 30 seconds: the record of the outcome, and the end of the invocation, wait for it.
func SendTimeout() (time.Duration, error) {
	text := os.Getenv("FANMAIL_SES_TIMEOUT")
	if text == "" {
		return 15 * time.Second, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout < time.Second || timeout > 30*time.Second {
		return 0, fmt.Errorf("FANMAIL_SES_TIMEOUT is %q: set it to 1s to 30s, or leave it out for 15s", text)
	}
	return timeout, nil
}

// Sender returns SendEmail of a SES client with parallel connections. It never retries: SES has no idempotency token, so
// a repeated call may be a second mail. timeout bounds one call; one that takes longer has an unknown outcome.
func Sender(c aws.Config, parallel int, timeout time.Duration) SendEmail {
	return sesv2.NewFromConfig(c, func(o *sesv2.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = awshttp.NewBuildableClient().
			WithTimeout(timeout).
			WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConns = parallel
				t.MaxIdleConnsPerHost = parallel
			})
	}).SendEmail
}
