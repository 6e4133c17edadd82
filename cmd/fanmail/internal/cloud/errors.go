package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"

	"fanmail/shared/workflow"
)

// explain makes one line of what the SDK says: what was being done, and why it failed, without request ids and layers.
// A nil err stays nil; an interrupted call keeps context.Canceled for errors.Is.
func (c *Cloud) explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if api.ErrorMessage() == "" || api.ErrorMessage() == api.ErrorCode() {
			return fmt.Errorf("%s: %s", doing, api.ErrorCode())
		}
		return fmt.Errorf("%s: %s: %s", doing, api.ErrorCode(), api.ErrorMessage())
	}
	if strings.Contains(err.Error(), "get credentials") {
		return fmt.Errorf("%s: no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", doing)
	}
	if unreachable, ok := errors.AsType[*net.OpError](err); ok {
		if c.endpoint != "" {
			return fmt.Errorf("%s: no answer from AWS_ENDPOINT_URL=%s (%v): is `fanmail local` running?", doing, c.endpoint, unreachable.Err)
		}
		return fmt.Errorf("%s: AWS does not answer: %w", doing, unreachable)
	}
	if operation, ok := errors.AsType[*smithy.OperationError](err); ok {
		err = operation.Err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// FunctionError is what a Lambda function of ours answers when it fails; Step Functions passes the same JSON as the cause.
type FunctionError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func (e *FunctionError) Error() string { return e.Message }

// IsUnknownCampaign tells whether Status failed because the ledger has no such campaign.
func IsUnknownCampaign(err error) bool {
	e, ok := errors.AsType[*FunctionError](err)
	return ok && e.Type == reflect.TypeFor[workflow.CampaignUnknown]().Name()
}

func readFunctionError(payload []byte) *FunctionError {
	var e FunctionError
	if err := json.Unmarshal(payload, &e); err != nil || e.Message == "" {
		return &FunctionError{Message: string(payload), Type: "unknown"}
	}
	return &e
}

// CauseMessage is the cause of a failed execution for a reader: the message alone where the cause is a Lambda function's
// error as JSON, else the cause as it is.
func CauseMessage(cause string) string {
	return readFunctionError([]byte(cause)).Message
}
