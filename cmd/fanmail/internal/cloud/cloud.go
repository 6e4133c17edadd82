// Package cloud is the CLI's way to AWS: every AWS call that the CLI makes is here, and Calls lists them. Each verb
// declares the methods that it needs as an interface of its own.
package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

// Cloud calls the AWS services of one deployment. Its errors say what was being done, in one line.
type Cloud struct {
	choice   deployments.Choice
	getenv   func(string) string
	warn     func(string)
	region   string
	endpoint string
	// credentials are where the SDK gets them from.
	credentials aws.CredentialsProvider

	cloudFormation *cloudformation.Client
	sts            *sts.Client
	s3             *s3.Client
	transfer       *transfermanager.Client
	sfn            *sfn.Client
	functions      *lambda.Client
	ses            *sesv2.Client
	sqs            *sqs.Client
	scheduler      *scheduler.Client

	lookup sync.Mutex
	// found is the stack, once it was found. A command ends before it is out of date.
	found *Stack
}

// Open makes the clients of the deployment that choice and the environment name. It calls nothing: what a call needs
// of the stack is looked up when it is needed (see Need). warn gets a line that is no error.
func Open(ctx context.Context, choice deployments.Choice, getenv func(string) string, warn func(string)) (*Cloud, error) {
	// What fails is our error; the SDK's own lines beside it explain nothing to a user.
	options := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithReadTimeout(answerWithin)),
	}
	if choice.Region.Value != "" {
		options = append(options, config.WithRegion(choice.Region.Value))
	}
	if profile := choice.Profile; profile.Value != "" && getenv(profile.From) == "" { // the SDK reads the environment itself
		options = append(options, config.WithSharedConfigProfile(profile.Value))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, explainConfig(choice, err)
	}
	if c.Region == "" {
		return nil, errors.New("no region is given: name one with --region, as in --region eu-west-1, or AWS_REGION, or in the AWS profile")
	}
	return open(c, choice, getenv, warn), nil
}

// OpenLocal reads everything from the environment that a local runtime gives out, and nothing from the command line,
// from the user's file of deployments, or from the user's own AWS configuration: a demo must never reach a real
// account.
func OpenLocal(environment map[string]string) *Cloud {
	getenv := func(name string) string { return environment[name] }
	return open(aws.Config{
		Region:       getenv("AWS_REGION"),
		BaseEndpoint: aws.String(getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(
			getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN")),
	}, deployments.Choice{}, getenv, func(string) {})
}

func open(c aws.Config, choice deployments.Choice, getenv func(string) string, warn func(string)) *Cloud {
	objects := s3.NewFromConfig(c, func(o *s3.Options) { o.HTTPClient = patientUploads(o.HTTPClient) })
	return &Cloud{
		choice:         choice,
		getenv:         getenv,
		warn:           warn,
		region:         c.Region,
		endpoint:       aws.ToString(c.BaseEndpoint),
		credentials:    c.Credentials,
		cloudFormation: cloudformation.NewFromConfig(c),
		sts:            sts.NewFromConfig(c),
		s3:             objects,
		transfer:       transfermanager.New(objects),
		sfn:            sfn.NewFromConfig(c),
		functions:      lambda.NewFromConfig(c),
		ses:            sesv2.NewFromConfig(c),
		sqs:            sqs.NewFromConfig(c),
		scheduler:      scheduler.NewFromConfig(c),
	}
}

// Upload streams body to an object of the bucket, in parts where it is large: memory does not grow with its length.
func (c *Cloud) Upload(ctx context.Context, key string, body io.Reader) error {
	bucket, err := c.output(ctx, deployment.Bucket)
	if err != nil {
		return err
	}
	_, err = c.transfer.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &key, Body: body})
	return c.explain(ctx, fmt.Sprintf("uploading s3://%s/%s", bucket, key), err)
}

// Exists tells whether the bucket holds an object.
func (c *Cloud) Exists(ctx context.Context, key string) (bool, error) {
	bucket, err := c.output(ctx, deployment.Bucket)
	if err != nil {
		return false, err
	}
	_, err = c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if _, missing := errors.AsType[*s3types.NotFound](err); missing {
		return false, nil
	}
	if err != nil {
		return false, c.explain(ctx, fmt.Sprintf("looking for s3://%s/%s", bucket, key), err)
	}
	return true, nil
}

// ErrNoObject is Download's answer where there is no such object.
var ErrNoObject = errors.New("no such object")

// Download streams an object of the bucket to w.
func (c *Cloud) Download(ctx context.Context, key string, w io.Writer) error {
	bucket, err := c.output(ctx, deployment.Bucket)
	if err != nil {
		return err
	}
	doing := fmt.Sprintf("downloading s3://%s/%s", bucket, key)
	object, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key},
		func(o *s3.Options) { o.HTTPClient = silentFor(o.HTTPClient, answerWithin) })
	if _, missing := errors.AsType[*s3types.NoSuchKey](err); missing {
		return fmt.Errorf("%s: %w", doing, ErrNoObject)
	}
	if err != nil {
		return c.explain(ctx, doing, err)
	}
	defer object.Body.Close()
	_, err = io.Copy(w, object.Body)
	return c.explain(ctx, doing, err)
}

// StartExecution starts the state machine and returns the ARN of the execution. With the name and the input of an
// execution that runs already, it starts nothing and returns that one's.
func (c *Cloud) StartExecution(ctx context.Context, name string, in workflow.ExecutionInput) (string, error) {
	machine, err := c.output(ctx, deployment.StateMachine)
	if err != nil {
		return "", err
	}
	input, err := unescaped(in)
	if err != nil {
		return "", err
	}
	started, err := c.sfn.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &machine, Name: &name, Input: &input,
	})
	if err != nil {
		return "", c.explain(ctx, "starting the execution "+name, err)
	}
	return aws.ToString(started.ExecutionArn), nil
}

// Execution is the state of an execution: status RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED or PENDING_REDRIVE.
type Execution struct {
	ARN    string
	Status string
	Output string
	// Error and Cause are those of the state that failed.
	Error, Cause string
	Started      time.Time
	// Stopped is zero while the execution runs.
	Stopped time.Time
}

// ErrNoExecution is DescribeExecution's answer for an execution that Step Functions does not know (yet, or 90 days
// after its end no longer).
var ErrNoExecution = errors.New("no such execution")

// DescribeExecution asks for the state of an execution.
func (c *Cloud) DescribeExecution(ctx context.Context, arn string) (Execution, error) {
	e, err := c.sfn.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	doing := "asking for the execution " + arn
	if _, unknown := errors.AsType[*sfntypes.ExecutionDoesNotExist](err); unknown {
		return Execution{}, fmt.Errorf("%s: %w", doing, ErrNoExecution)
	}
	if err != nil {
		return Execution{}, c.explain(ctx, doing, err)
	}
	return Execution{
		ARN: arn, Status: string(e.Status), Output: aws.ToString(e.Output),
		Error: aws.ToString(e.Error), Cause: aws.ToString(e.Cause),
		Started: aws.ToTime(e.StartDate), Stopped: aws.ToTime(e.StopDate),
	}, nil
}

// Status asks the control function for the state of a campaign. Its own errors come back as *FunctionError.
func (c *Cloud) Status(ctx context.Context, campaign string) (workflow.Report, error) {
	out, err := c.Control(ctx, workflow.ControlInput{Action: workflow.ActionStatus, Campaign: campaign})
	return out.Report, err
}

// Control asks the control function for something. Its own errors come back as *FunctionError.
func (c *Cloud) Control(ctx context.Context, in workflow.ControlInput) (out workflow.ControlOutput, err error) {
	doing := map[string]string{
		workflow.ActionStatus: "asking for the status of ", workflow.ActionRate: "changing the rate of ",
		workflow.ActionResend: "resolving ", workflow.ActionDrop: "resolving ",
		workflow.ActionExamine: "examining the database", workflow.ActionSuppressed: "asking who is suppressed",
	}[in.Action] + in.Campaign
	function, err := c.output(ctx, deployment.ControlFunction)
	if err != nil {
		return out, err
	}
	payload, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	answer, err := c.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: payload})
	if err != nil {
		return out, c.explain(ctx, doing, err)
	}
	if answer.FunctionError != nil {
		return out, fmt.Errorf("%s: %w", doing, readFunctionError(answer.Payload))
	}
	if err := json.Unmarshal(answer.Payload, &out); err != nil {
		return out, fmt.Errorf("%s: %s answered something else than it should: %w", doing, function, err)
	}
	return out, nil
}
