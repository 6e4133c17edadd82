package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"fanmail/shared/deployment"
)

// Concurrency is the concurrency of Lambda in the account and region.
type Concurrency struct {
	// Limit is what the account may run at once; Unreserved what no function has reserved.
	Limit      int `json:"limit"`
	Unreserved int `json:"unreserved"`
	// Own is what the functions of Stage have reserved already; Stage is "" before the first deployment.
	Own   int    `json:"own"`
	Stage string `json:"stage"`
}

// Others is what other functions have reserved.
func (c Concurrency) Others() int { return c.Limit - c.Unreserved - c.Own }

// Concurrency asks Lambda for the account's concurrency, and for what these functions have reserved by an earlier
// deployment: of the stage that is named, or else of the only stack.
func (c *Cloud) Concurrency(ctx context.Context, functions []deployment.Function) (Concurrency, error) {
	found := Concurrency{Stage: c.choice.Stage.Value}
	if found.Stage == "" {
		stack, err := c.Stack(ctx)
		if err != nil && !errors.Is(err, ErrNoStack) {
			return found, err
		}
		found.Stage = stack.Stage()
	}
	settings, err := c.functions.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return found, c.explain(ctx, "asking for the account's concurrency of Lambda", err)
	}
	if settings.AccountLimit == nil || settings.AccountLimit.UnreservedConcurrentExecutions == nil {
		return found, errors.New("asking for the account's concurrency of Lambda: the answer does not say what is unreserved")
	}
	found.Limit = int(settings.AccountLimit.ConcurrentExecutions)
	found.Unreserved = int(*settings.AccountLimit.UnreservedConcurrentExecutions)
	if found.Stage == "" {
		return found, nil
	}
	for _, f := range functions {
		reserved, err := c.reserved(ctx, deployment.FunctionName(found.Stage, f.Key))
		if err != nil {
			return found, err
		}
		found.Own += reserved
	}
	return found, nil
}

// reserved is what a function has reserved; 0 for one that there is not yet.
func (c *Cloud) reserved(ctx context.Context, function string) (int, error) {
	answer, err := c.functions.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &function})
	if _, missing := errors.AsType[*lambdatypes.ResourceNotFoundException](err); missing {
		return 0, nil
	}
	if err != nil {
		return 0, c.explain(ctx, "asking for the reserved concurrency of "+function, err)
	}
	return int(aws.ToInt32(answer.ReservedConcurrentExecutions)), nil
}
