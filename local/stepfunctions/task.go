package stepfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// LambdaAPI is what a Task calls; *lambda.Client has it.
type LambdaAPI interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

const lambdaInvoke = "arn:aws:states:::lambda:invoke"

// taskState is a call of a Lambda function.
type taskState struct{ timeout numberField }

func (p *parser) task(f *fields, st *state) {
	at := join(f.at, "Resource")
	if resource := f.required("Resource"); resource != lambdaInvoke && resource != "" {
		p.refuse(at, "resource %s is not supported; only %s is", resource, lambdaInvoke)
	}
	st.task = &taskState{timeout: f.number("TimeoutSeconds", 1, maxWaitSeconds, 0)}
	if st.parameters == nil || !st.parameters.has("FunctionName") {
		p.refuse(f.at, "%s needs FunctionName in Parameters", f.kind)
		return
	}
	for _, field := range st.parameters.object {
		switch field.name {
		case "FunctionName", "Payload", "InvocationType", "Qualifier", "ClientContext":
		default:
			p.refuse(join(join(f.at, "Parameters"), field.name), "parameter %s of %s is not supported", field.name, lambdaInvoke)
		}
	}
}

// errTaskTimeout is the cause of a task's context when TimeoutSeconds is over.
var errTaskTimeout = errors.New("the task's TimeoutSeconds is over")

// runTask schedules the call, waits for its answer and records both. The raw result is the integration's output.
func (e *execution) runTask(ctx context.Context, v *visit, input any) (any, *failure) {
	parameters, f := v.state.parameters.eval(v.scope(input))
	if f != nil {
		return nil, f
	}
	seconds, f := v.state.task.timeout.of(v.scope(input))
	if f != nil {
		return nil, f
	}
	text := encode(parameters)
	if len(text) > maxPayloadBytes {
		return nil, tooLarge("lambda")
	}
	call, f := invocation(parameters)
	if f != nil {
		return nil, f
	}
	e.add(event{kind: taskScheduled, data: text, number: seconds})
	e.add(event{kind: taskStarted})
	callCtx := ctx
	if seconds > 0 {
		var cancel context.CancelFunc
		callCtx, cancel = context.WithTimeoutCause(ctx, time.Duration(seconds)*time.Second, errTaskTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		return nil, aborted
	}
	// Step Functions does not retry by itself: Retry in the definition decides.
	answer, err := e.service.lambda.Invoke(callCtx, call, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
	result, f := lambdaResult(answer, err)
	switch {
	case ctx.Err() != nil:
		return nil, aborted
	case f != nil && errors.Is(context.Cause(callCtx), errTaskTimeout):
		f = &failure{name: errTimeout}
		e.add(event{kind: taskTimedOut, failed: f})
		return nil, f
	case f != nil:
		e.add(event{kind: taskFailed, failed: f})
		return nil, f
	}
	output := encode(result)
	if len(output) > maxPayloadBytes {
		f = tooLarge("lambda")
		e.add(event{kind: taskFailed, failed: f})
		return nil, f
	}
	e.add(event{kind: taskSucceeded, data: output})
	return result, nil
}

// invocation makes the Invoke call of the evaluated Parameters.
func invocation(parameters any) (*lambda.InvokeInput, *failure) {
	fields := parameters.(map[string]any)
	call := &lambda.InvokeInput{Payload: []byte("{}")}
	if payload, ok := fields["Payload"]; ok {
		call.Payload = []byte(encode(payload))
	}
	texts := map[string]string{}
	for _, name := range []string{"FunctionName", "InvocationType", "Qualifier", "ClientContext"} {
		value, ok := fields[name]
		if !ok {
			continue
		}
		text, isText := value.(string)
		if !isText {
			return nil, failf(errRuntime, "The Parameters '%s' could not be used to start the Task: [The value for the field '%s' must be a STRING]",
				encode(parameters), name)
		}
		texts[name] = text
	}
	call.FunctionName = aws.String(texts["FunctionName"])
	call.InvocationType = types.InvocationType(texts["InvocationType"])
	if text, ok := texts["Qualifier"]; ok {
		call.Qualifier = aws.String(text)
	}
	if text, ok := texts["ClientContext"]; ok {
		call.ClientContext = aws.String(text)
	}
	return call, nil
}

// lambdaResult turns the answer of Invoke into the output of the integration, or into the error that Step Functions
// reports for it.
func lambdaResult(answer *lambda.InvokeOutput, err error) (any, *failure) {
	if err != nil {
		return nil, callFailure(err)
	}
	if answer.FunctionError != nil {
		return nil, functionFailure(answer.Payload)
	}
	var payload any
	if len(answer.Payload) > 0 {
		if payload, err = decode(answer.Payload); err != nil {
			return nil, failf("Lambda.Unknown", "The function's answer is no JSON: %v", err)
		}
	}
	result := map[string]any{
		"StatusCode":      int64(answer.StatusCode),
		"ExecutedVersion": aws.ToString(answer.ExecutedVersion),
		"Payload":         payload,
	}
	requestID, _ := awsmiddleware.GetRequestIDMetadata(answer.ResultMetadata)
	result["SdkResponseMetadata"] = map[string]any{"RequestId": requestID}
	headers := http.Header{}
	if raw, ok := awsmiddleware.GetRawResponse(answer.ResultMetadata).(*smithyhttp.Response); ok {
		headers = raw.Header
	}
	all, first := map[string]any{}, map[string]any{}
	for name, values := range headers {
		list := make([]any, len(values))
		for i, value := range values {
			list[i] = value
		}
		all[name], first[name] = list, values[0]
	}
	result["SdkHttpMetadata"] = map[string]any{
		"AllHttpHeaders": all, "HttpHeaders": first, "HttpStatusCode": int64(answer.StatusCode),
	}
	return result, nil
}

// functionFailure is the error of a function that ran and failed: named after errorType of its answer, with the whole
// answer as cause. Crashes (Runtime.ExitError) and timeouts (Sandbox.Timedout) come the same way.
func functionFailure(payload []byte) *failure {
	var answer struct {
		Type string `json:"errorType"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil || answer.Type == "" {
		return failf("Lambda.Unknown",
			"The cause could not be determined because Lambda did not return an error type. Returned payload: %s", payload)
	}
	return &failure{name: answer.Type, cause: string(payload)}
}

// callFailure is the error of a call that Lambda refused (Lambda.<exception>), that failed within Lambda
// (Lambda.ServiceException), or that did not reach it (Lambda.SdkClientException).
func callFailure(err error) *failure {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return failf("Lambda.SdkClientException", "%v", err)
	}
	status, requestID := 0, ""
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status, requestID = response.HTTPStatusCode(), response.RequestID
	}
	name := refused.ErrorCode()
	if _, shape, ok := strings.Cut(name, "#"); ok {
		name = shape
	}
	if status >= http.StatusInternalServerError && !strings.HasSuffix(name, "Exception") {
		name = "ServiceException"
	}
	return failf("Lambda."+name, "%s (Service: AWSLambda; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)",
		refused.ErrorMessage(), status, refused.ErrorCode(), requestID)
}
