package mailer

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Texts by which SES tells two opposite conditions apart that share an exception.
// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
const (
	dailyQuotaText  = "daily message quota"
	notVerifiedText = "not verified"
)

// unnamedError is the error code that the SDK makes up for an answer that carries none.
const unnamedError = "UnknownError"

// classify is the one table of what an error of SendEmail means for its message. reached tells whether a connection
// was handed to the request: without one, not a byte of it can have been written.
func classify(err error, reached bool) Outcome {
	var (
		throttle    *types.TooManyRequestsException
		limit       *types.LimitExceededException
		rejected    *types.MessageRejected
		badRequest  *types.BadRequestException
		notFound    *types.NotFoundException
		paused      *types.SendingPausedException
		suspended   *types.AccountSuspendedException
		mailFrom    *types.MailFromDomainNotVerifiedException
		internal    *types.InternalServiceErrorException
		concurrent  *types.ConcurrentModificationException
		params      *smithy.InvalidParamsError
		serialising *smithy.SerializationError
		api         smithy.APIError
		response    *smithyhttp.ResponseError
	)
	reason := text(err)
	switch {
	case errors.As(err, &throttle), errors.As(err, &limit):
		if strings.Contains(strings.ToLower(reason), dailyQuotaText) {
			return Outcome{Kind: QuotaReached, Reason: reason}
		}
		return Outcome{Kind: NotAccepted, Reason: reason, Throttled: true}
	case errors.As(err, &rejected):
		if strings.Contains(strings.ToLower(reason), notVerifiedText) {
			return Outcome{Kind: Stop, Reason: reason}
		}
		return Outcome{Kind: Refused, Reason: reason}
	case errors.As(err, &badRequest):
		return Outcome{Kind: Refused, Reason: reason}
	case errors.As(err, &paused), errors.As(err, &suspended), errors.As(err, &mailFrom), errors.As(err, &notFound):
		return Outcome{Kind: Stop, Reason: reason}
	case errors.As(err, &concurrent):
		return Outcome{Kind: NotAccepted, Reason: reason}
	case errors.As(err, &internal):
		return Outcome{Kind: Unknown, Reason: reason}
	case errors.As(err, &params), errors.As(err, &serialising):
		return Outcome{Kind: Refused, Reason: reason}
	case errors.As(err, &response) && response.HTTPStatusCode() >= 400:
		named := errors.As(err, &api) && api.ErrorCode() != unnamedError
		return byStatus(response.HTTPStatusCode(), named, reason)
	case !reached:
		return Outcome{Kind: NotAccepted, Reason: reason}
	}
	return Outcome{Kind: Unknown, Reason: reason}
}

// byStatus classifies an answer without a modelled exception by its HTTP status. named tells whether it carries an error
// code of AWS at all: without one it may come from something in between that says nothing about SES.
func byStatus(status int, named bool, reason string) Outcome {
	switch {
	case status == http.StatusTooManyRequests:
		return Outcome{Kind: NotAccepted, Reason: reason, Throttled: true}
	case status >= 500, !named:
		return Outcome{Kind: Unknown, Reason: reason}
	case status == http.StatusForbidden, status == http.StatusUnauthorized, status == http.StatusNotFound:
		// No permission, bad credentials, wrong Region: the same for every message.
		return Outcome{Kind: Stop, Reason: reason}
	}
	return Outcome{Kind: Refused, Reason: reason}
}

// text is the reason in one line: the code and message of AWS where there are any.
func text(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorMessage() != "" {
		return oneLine(api.ErrorCode() + ": " + api.ErrorMessage())
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer from SES in time"
	}
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		err = operation.Unwrap()
	}
	return oneLine(err.Error())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
