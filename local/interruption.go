package local

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"fanmail/shared/workflow"
)

// executionEnded does what the deployment's rule of EventBridge does with executions that end badly: it invokes
// finish asynchronously, so that Lambda tries again when the function fails.
func (r *Runtime) executionEnded(ctx context.Context, execution, status string) {
	payload, err := json.Marshal(workflow.FinishInput{
		Execution: execution, Reason: workflow.ReasonInterrupted, Error: &workflow.StateError{Error: status},
	})
	if err == nil {
		_, err = awslambda.NewFromConfig(ClientConfig(r.endpoint)).Invoke(ctx, &awslambda.InvokeInput{
			FunctionName:   aws.String(functionName + finishKey),
			InvocationType: types.InvocationTypeEvent,
			Payload:        payload,
		})
	}
	if err != nil && ctx.Err() == nil {
		r.options.Logger.Warn("the function finish could not be told that an execution has ended",
			"execution", execution, "status", status, "error", err)
	}
}
