package cloud

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"

	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

// Region is the AWS Region of the deployment.
func (c *Cloud) Region() string { return c.region }

// Account asks SES for the account: quota, rate, sandbox.
func (c *Cloud) Account(ctx context.Context) (*sesv2.GetAccountOutput, error) {
	out, err := c.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
	return out, c.explain(ctx, "asking for the SES account", err)
}

// EmailIdentity asks SES for an address or a domain. Without such an identity the answer is nil.
func (c *Cloud) EmailIdentity(ctx context.Context, name string) (*sesv2.GetEmailIdentityOutput, error) {
	out, err := c.ses.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
	return found(out, c.explain(ctx, "asking SES for the identity "+name, err), err)
}

// ConfigurationSet asks SES for a configuration set. Without one of that name the answer is nil.
func (c *Cloud) ConfigurationSet(ctx context.Context, name string) (*sesv2.GetConfigurationSetOutput, error) {
	out, err := c.ses.GetConfigurationSet(ctx, &sesv2.GetConfigurationSetInput{ConfigurationSetName: &name})
	return found(out, c.explain(ctx, "asking SES for the configuration set "+name, err), err)
}

// found makes nil of what SES does not have.
func found[Out any](out *Out, explained, err error) (*Out, error) {
	if _, missing := errors.AsType[*sestypes.NotFoundException](err); missing {
		return nil, nil
	}
	return out, explained
}

// Examine asks the control function for the database behind the functions.
func (c *Cloud) Examine(ctx context.Context) (workflow.Database, error) { return c.examine(ctx, "") }

// Witnessed asks the control function whether the event of a message of Prove is in the ledger.
func (c *Cloud) Witnessed(ctx context.Context, id uuid.UUID) (bool, error) {
	d, err := c.examine(ctx, id.String())
	return !d.WitnessedAt.IsZero(), err
}

func (c *Cloud) examine(ctx context.Context, proof string) (workflow.Database, error) {
	out, err := c.Control(ctx, workflow.ControlInput{Action: workflow.ActionExamine, Proof: proof})
	if err == nil && out.Database == nil {
		err = fmt.Errorf("examining the database: %w",
			&FunctionError{Type: "InvalidRequest", Message: "the function control does not know the action examine"})
	}
	if err != nil {
		return workflow.Database{}, err
	}
	return *out.Database, nil
}

// EventDestinations asks SES where a configuration set publishes events.
func (c *Cloud) EventDestinations(ctx context.Context, name string) ([]sestypes.EventDestination, error) {
	in := &sesv2.GetConfigurationSetEventDestinationsInput{ConfigurationSetName: &name}
	out, err := c.ses.GetConfigurationSetEventDestinations(ctx, in)
	if err != nil {
		return nil, c.explain(ctx, "asking SES where the configuration set "+name+" publishes events", err)
	}
	return out.EventDestinations, nil
}

// Prove sends a message to SES's mailbox simulator, whose event is to arrive in the ledger under id.
func (c *Cloud) Prove(ctx context.Context, from, configurationSet string, id uuid.UUID) error {
	_, err := c.ses.SendEmail(ctx, mailer.Proof(from, configurationSet, id))
	return c.explain(ctx, "sending a message to SES's mailbox simulator", err)
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
		return Queue{}, c.explain(ctx, "asking SQS for the queue "+url, err)
	}
	number := func(name sqstypes.QueueAttributeName) int {
		n, _ := strconv.Atoi(out.Attributes[string(name)]) // SQS writes numbers
		return n
	}
	return Queue{ARN: out.Attributes[string(arn)], Waiting: number(waiting), InFlight: number(inFlight)}, nil
}
