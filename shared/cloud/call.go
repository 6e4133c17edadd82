package cloud

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// The functions get the calls that they make, and not the clients. A program with templates looks up methods by name, so Go's
// linker keeps every exported method of whatever becomes an interface in it; of a client that is more than a hundred calls,
// half a megabyte in the package of send.

// SendEmail is the call of the same name.
type SendEmail func(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error)

// SendEmail calls SES.
func (call SendEmail) SendEmail(
	ctx context.Context, in *sesv2.SendEmailInput, options ...func(*sesv2.Options),
) (*sesv2.SendEmailOutput, error) {
	return call(ctx, in, options...)
}

// DescribeExecution is the call of the same name.
type DescribeExecution func(
	context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options),
) (*sfn.DescribeExecutionOutput, error)

// DescribeExecution calls Step Functions.
func (call DescribeExecution) DescribeExecution(
	ctx context.Context, in *sfn.DescribeExecutionInput, options ...func(*sfn.Options),
) (*sfn.DescribeExecutionOutput, error) {
	return call(ctx, in, options...)
}
