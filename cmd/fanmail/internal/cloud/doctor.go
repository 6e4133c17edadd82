package cloud

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"fanmail/shared/deployment"
	"fanmail/shared/mailer"
)

// Region is the AWS Region of the deployment.
func (c *Cloud) Region() string { return c.region }

// Refusal is AWS's answer to a call that it did not do.
type Refusal struct {
	// Code is the name of the error, such as ResourceNotFoundException.
	Code string
	text string
}

func (r *Refusal) Error() string { return r.text }

// Denied tells whether the caller's policies do not allow the call.
func (r *Refusal) Denied() bool { return strings.HasPrefix(r.Code, "AccessDenied") }

// answered is explain, and makes AWS's answer a *Refusal.
func (c *Cloud) answered(ctx context.Context, doing string, err error) error {
	explained := c.explain(ctx, doing, err)
	if api, ok := errors.AsType[smithy.APIError](err); ok && ctx.Err() == nil {
		return &Refusal{api.ErrorCode(), explained.Error()}
	}
	return explained
}

// Caller is whom AWS takes us for.
type Caller struct {
	// ARN is that of a user or of a role's session; "" when AWS refuses the credentials.
	ARN string
	// Skew is by how much AWS's clock is ahead of this machine's, to the second. Answered is false when AWS did not
	// tell.
	Skew     time.Duration
	Answered bool
}

// Caller asks AWS who we are. AWS tells its time even where it refuses us.
func (c *Cloud) Caller(ctx context.Context) (Caller, error) {
	var caller Caller
	answer := func(o *sts.Options) {
		o.HTTPClient = dated{cmp.Or[sts.HTTPClient](o.HTTPClient, awshttp.NewBuildableClient()), &caller}
	}
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, answer)
	if err != nil {
		return caller, c.answered(ctx, "asking AWS who you are", err)
	}
	caller.ARN = aws.ToString(out.Arn)
	return caller, nil
}

// dated notes the time that AWS's answers tell. The SDK tells it of good answers only.
type dated struct {
	sts.HTTPClient
	caller *Caller
}

func (d dated) Do(request *http.Request) (*http.Response, error) {
	asked := time.Now()
	answer, err := d.HTTPClient.Do(request)
	if err != nil {
		return answer, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		// A Date is cut to the second: half a second is what it lacks on average.
		d.caller.Skew, d.caller.Answered = date.Add(time.Second/2).Sub(asked.Add(time.Since(asked)/2)), true
	}
	return answer, nil
}

// Account asks SES for the account: quota, rate, sandbox.
func (c *Cloud) Account(ctx context.Context) (*sesv2.GetAccountOutput, error) {
	out, err := c.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
	return out, c.answered(ctx, "asking SES for the account", err)
}

// EmailIdentity asks SES for an address or a domain. Without such an identity the answer is nil.
func (c *Cloud) EmailIdentity(ctx context.Context, name string) (*sesv2.GetEmailIdentityOutput, error) {
	out, err := c.ses.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
	return found(out, c.answered(ctx, "asking SES for the identity "+name, err), err)
}

// ConfigurationSet asks SES for a configuration set. Without one of that name the answer is nil.
func (c *Cloud) ConfigurationSet(ctx context.Context, name string) (*sesv2.GetConfigurationSetOutput, error) {
	out, err := c.ses.GetConfigurationSet(ctx, &sesv2.GetConfigurationSetInput{ConfigurationSetName: &name})
	return found(out, c.answered(ctx, "asking SES for the configuration set "+name, err), err)
}

// found makes nil of what SES does not have.
func found[Out any](out *Out, explained, err error) (*Out, error) {
	if _, missing := errors.AsType[*sestypes.NotFoundException](err); missing {
		return nil, nil
	}
	return out, explained
}

// EventDestinations asks SES where a configuration set publishes events.
func (c *Cloud) EventDestinations(ctx context.Context, name string) ([]sestypes.EventDestination, error) {
	in := &sesv2.GetConfigurationSetEventDestinationsInput{ConfigurationSetName: &name}
	out, err := c.ses.GetConfigurationSetEventDestinations(ctx, in)
	if err != nil {
		return nil, c.answered(ctx, "asking SES where the configuration set "+name+" publishes events", err)
	}
	return out.EventDestinations, nil
}

// Prove sends a message to SES's mailbox simulator, whose event is to arrive in the ledger under id.
func (c *Cloud) Prove(ctx context.Context, from, configurationSet string, id uuid.UUID) error {
	_, err := c.ses.SendEmail(ctx, mailer.Proof(from, configurationSet, id))
	return c.answered(ctx, "sending a message to SES's mailbox simulator", err)
}

// Queue is what an SQS queue holds, about.
type Queue struct {
	ARN string
	// Waiting are messages that nobody has received, InFlight those that somebody works on.
	Waiting, InFlight int
}

// Queue asks SQS for a queue.
func (c *Cloud) Queue(ctx context.Context, url string) (Queue, error) {
	const (
		arn      = sqstypes.QueueAttributeNameQueueArn
		waiting  = sqstypes.QueueAttributeNameApproximateNumberOfMessages
		inFlight = sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	)
	out, err := c.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{arn, waiting, inFlight},
	})
	if err != nil {
		return Queue{}, c.answered(ctx, "asking SQS for the queue "+url, err)
	}
	number := func(name sqstypes.QueueAttributeName) int {
		n, _ := strconv.Atoi(out.Attributes[string(name)]) // SQS writes numbers
		return n
	}
	return Queue{ARN: out.Attributes[string(arn)], Waiting: number(waiting), InFlight: number(inFlight)}, nil
}

// Concurrency is the concurrency of Lambda in the account and Region.
type Concurrency struct {
	// Limit is what the account may run at once; Unreserved what no function has reserved.
	Limit, Unreserved int
	// Own is what the functions of the deployment have reserved.
	Own int
}

// Concurrency asks Lambda for the account's concurrency, and what of it the functions have reserved.
func (c *Cloud) Concurrency(ctx context.Context, _ []deployment.Function) (Concurrency, error) {
	const doing = "asking Lambda for the account's concurrency"
	out, err := c.functions.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return Concurrency{}, c.answered(ctx, doing, err)
	}
	if out.AccountLimit == nil || out.AccountLimit.UnreservedConcurrentExecutions == nil {
		return Concurrency{}, errors.New(doing + ": the answer does not say it")
	}
	limit, unreserved := int(out.AccountLimit.ConcurrentExecutions), int(*out.AccountLimit.UnreservedConcurrentExecutions)
	return Concurrency{Limit: limit, Unreserved: unreserved, Own: limit - unreserved}, nil
}
