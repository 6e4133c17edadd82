package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

// explain makes one line of what the SDK says: what was being done, why it failed, and the next command, without
// request ids and layers. A nil err stays nil; an interrupted call keeps context.Canceled for errors.Is.
func (c *Cloud) explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	// Getting credentials may call AWS as well, so its errors are recognized before those of the call itself.
	if _, cause, ok := strings.Cut(err.Error(), "get credentials: "); ok {
		return fmt.Errorf("%s: %s", doing, c.noCredentials(err, cause))
	}
	operation, _ := errors.AsType[*smithy.OperationError](err)
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		text := codeAndMessage(api)
		next := c.nextCommand(api, operation)
		if next == "" && serverFailed(err) {
			next = again
		}
		if next != "" {
			text += ": " + next
		}
		return fmt.Errorf("%s: %w", doing, &Refusal{api.ErrorCode(), text})
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && c.endpoint == "" {
		return fmt.Errorf("%s: the address %s is not found: is there a region %s (--region), and a network?",
			doing, unknown.Name, c.region)
	}
	if timedOut(err) {
		return fmt.Errorf("%s: no answer from %s: run it again, and look at the network if that does not help",
			doing, c.whoAnswers())
	}
	if unreachable, ok := errors.AsType[*url.Error](err); ok {
		cause := unreachable.Err
		if short, ok := errors.AsType[*net.OpError](err); ok {
			cause = short.Err
		}
		if c.endpoint != "" {
			return fmt.Errorf("%s: no answer from AWS_ENDPOINT_URL=%s (%v): is `fanmail local` running?",
				doing, c.endpoint, cause)
		}
		return fmt.Errorf("%s: AWS does not answer: %w", doing, unreachable)
	}
	if _, strange := errors.AsType[*smithy.DeserializationError](err); strange && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: %s gave an answer that AWS does not give: is a proxy or a login page in between?",
			doing, c.whoAnswers())
	}
	if operation != nil {
		err = operation.Err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// whoAnswers is AWS, or what stands in for it.
func (c *Cloud) whoAnswers() string {
	if c.endpoint == "" {
		return "AWS"
	}
	return "AWS_ENDPOINT_URL=" + c.endpoint
}

func codeAndMessage(api smithy.APIError) string {
	if api.ErrorMessage() == "" || api.ErrorMessage() == api.ErrorCode() {
		return api.ErrorCode()
	}
	return api.ErrorCode() + ": " + terminal.OneLine(api.ErrorMessage())
}

// nextCommand is what to do about an answer of AWS that is not about our deployment; "" where there is nothing to add.
func (c *Cloud) nextCommand(api smithy.APIError, operation *smithy.OperationError) string {
	switch api.ErrorCode() {
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden":
		return fmt.Sprintf("%s is not allowed: docs/aws.md has the IAM policy of an operator",
			denied(api.ErrorMessage(), operation))
	case "ExpiredToken", "ExpiredTokenException":
		return c.signIn()
	case "RequestTimeTooSkewed", "RequestExpired":
		return setClock
	case "SignatureDoesNotMatch", "InvalidSignatureException":
		if strings.HasPrefix(api.ErrorMessage(), "Signature expired") || strings.HasPrefix(api.ErrorMessage(), "Signature not yet current") {
			return setClock
		}
		return c.wrongKey()
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure":
		return c.wrongKey()
	case "TooManyRequestsException":
		if operation != nil && operation.Service() == lambda.ServiceID { // our functions have few environments
			return "another one may be at work: run it again in a minute"
		}
		return again
	case "Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown":
		return again
	case "NoSuchBucket", "ResourceNotFoundException", "StateMachineDoesNotExist", "QueueDoesNotExist":
		return "this part of the deployment is gone, or another one is meant: look at `fanmail whoami`"
	case "PermanentRedirect", "MovedPermanently", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return fmt.Sprintf("the bucket is not in the region %s: name the deployment's with --region", c.region)
	}
	return ""
}

// serverFailed tells whether the trouble is on the side of AWS.
func serverFailed(err error) bool {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	return ok && answer.HTTPStatusCode() >= http.StatusInternalServerError
}

// unsure tells whether AWS may have done what the call asked for, although the answer is an error or none.
func unsure(ctx context.Context, err error) bool {
	_, unread := errors.AsType[*smithy.DeserializationError](err)
	return err != nil && (ctx.Err() != nil || unread || serverFailed(err) || lost(err))
}

const (
	setClock = "set the clock of this machine"
	again    = "run it again in a minute"
)

func (c *Cloud) wrongKey() string {
	return fmt.Sprintf("the access key is wrong or deleted, or the account has not enabled the region %s: look at "+
		"%s, and name another --profile or --region",
		c.region, "`aws configure list`")
}

// signIn is what renews credentials that have an end.
func (c *Cloud) signIn() string {
	profile := ""
	if c.choice.Profile.Value != "" {
		profile = " --profile " + c.choice.Profile.Value
	}
	return fmt.Sprintf("sign in again with `aws sso login%s`, or renew AWS_SESSION_TOKEN and its keys", profile)
}

// noCredentials tells credentials that there are not from sessions that have ended, and from trouble on the way to
// new ones.
func (c *Cloud) noCredentials(err error, cause string) string {
	_, unreachable := errors.AsType[*net.OpError](err)
	_, ended := errors.AsType[*ssocreds.InvalidTokenError](err)
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	// The last place that the SDK looks into is the machine's role, so this comes where there is nothing at all.
	case strings.Contains(cause, "no EC2 IMDS role found"), strings.Contains(cause, "static credentials are empty"):
		return "no AWS credentials: name a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and " +
			"AWS_SECRET_ACCESS_KEY"
	case unreachable:
		return "getting AWS credentials: " + cause
	case answered && api.ErrorCode() == "UnauthorizedException", answered && strings.HasPrefix(api.ErrorCode(), "ExpiredToken"):
		return codeAndMessage(api) + ": " + c.signIn()
	case ended, strings.Contains(cause, "cached SSO token"): // there is none, or it has expired and can't be renewed
		return "there is no AWS session, or it has ended: " + c.signIn()
	case strings.HasSuffix(cause, "please reauthenticate"):
		return cause + ": `aws login` does it"
	case answered:
		return "getting AWS credentials: " + codeAndMessage(api)
	}
	return "getting AWS credentials: " + cause
}

var notAuthorized = regexp.MustCompile(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)`)

// denied names the action: as AWS does, or else as the call needs it.
func denied(message string, operation *smithy.OperationError) string {
	if m := notAuthorized.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	if operation == nil {
		return "the call"
	}
	return cmp.Or(actionsOf(operation.Service(), operation.Operation()), operation.Operation())
}

// explainConfig makes one line of an error in the user's AWS configuration.
func explainConfig(choice deployments.Choice, err error) error {
	if _, ok := errors.AsType[config.AssumeRoleTokenProviderNotSetError](err); ok {
		profile := cmp.Or(choice.Profile.Value, "NAME")
		return fmt.Errorf("the AWS profile %s wants a code of an MFA device, for which fanmail does not ask: "+
			"`eval \"$(aws configure export-credentials --profile %[1]s --format env)\"` asks, and gives a session", profile)
	}
	if missing, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return fmt.Errorf("there is no AWS profile %s (%s): `aws configure list-profiles` lists them",
			missing.Profile, cmp.Or(choice.Profile.From, "AWS_PROFILE"))
	}
	return fmt.Errorf("reading the AWS configuration: %w", err)
}

// Refusal is AWS's answer to a call that it did not do.
type Refusal struct {
	// Code is the name of the error, such as ResourceNotFoundException.
	Code string
	text string
}

func (r *Refusal) Error() string { return r.text }

// Denied tells whether the caller's policies do not allow the call.
func (r *Refusal) Denied() bool { return strings.HasPrefix(r.Code, "AccessDenied") }

// FunctionError is what a Lambda function of ours answers when it fails; Step Functions passes the same JSON as the
// cause.
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
// error as JSON, name and cause where it is one of Step Functions' own (the state FailedInStepFunctions), else the
// cause as it is.
func CauseMessage(cause string) string {
	var own workflow.StateError
	if err := json.Unmarshal([]byte(cause), &own); err == nil && own.Error != "" {
		return own.Reason()
	}
	return readFunctionError([]byte(cause)).Message
}
