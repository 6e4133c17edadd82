package mailer

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// meaning is what an error code of AWS says about the message whose call it answers.
type meaning int

const (
	// throttled: not accepted, for the rate or, by the text, for the daily quota.
	throttled meaning = iota + 1
	// refused: not accepted because of the message, or by the text because of the account.
	refused
	// stopped: not accepted, and neither will the next be.
	stopped
	// late: not accepted because the request was too long under way; another may be in time.
	late
	// silent: says nothing about whether the message was accepted.
	silent
)

// meanings has the modelled exceptions of SES, the errors that all of AWS has in common, and the spellings of throttling.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
var meanings = map[string]meaning{
	"TooManyRequestsException": throttled, "LimitExceededException": throttled, "ThrottlingException": throttled, "Throttling": throttled,
	"ThrottledException": throttled, "RequestThrottled": throttled, "RequestThrottledException": throttled, "RequestLimitExceeded": throttled,
	"SlowDown": throttled, "BandwidthLimitExceeded": throttled,

	"MessageRejected": refused, "BadRequestException": refused, "ValidationException": refused, "ValidationError": refused,
	"SerializationException": refused, "MalformedHttpRequestException": refused, "RequestEntityTooLargeException": refused,

	"SendingPausedException": stopped, "AccountSuspendedException": stopped, "MailFromDomainNotVerifiedException": stopped, "NotFoundException": stopped,
	"AccessDeniedException": stopped, "NotAuthorized": stopped, "OptInRequired": stopped, "ExpiredTokenException": stopped,
	"InvalidSignatureException": stopped, "IncompleteSignature": stopped, "UnrecognizedClientException": stopped, "UnknownOperationException": stopped,
	// They are modelled, and SendEmail is not said to answer them: a refusal of which nobody knows whom it concerns.
	"ConflictException": stopped, "AlreadyExistsException": stopped, "InvalidNextTokenException": stopped,

	"RequestExpired": late,

	// ServiceUnavailable and the others may come from behind the point where the message was taken; a timeout or an abort may
	// be one of writing the answer; and a concurrent modification has no documented meaning for SendEmail.
	"InternalServiceErrorException": silent, "InternalFailure": silent, "InternalServerError": silent, "ServiceUnavailable": silent,
	"ServiceUnavailableException": silent, "RequestTimeout": silent, "RequestTimeoutException": silent, "RequestAbortedException": silent,
	"ConcurrentModificationException": silent,
}

// unnamedError is the error code that the SDK makes up for an answer that carries none.
const unnamedError = "UnknownError"

// accountTexts are in refusals that concern all messages, though they share an exception with those of one message.
// https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
var accountTexts = []string{"not verified", "sending paused", "sending suspended", "account is paused", "account is suspended"}

// classify is the one place that says what an error of SendEmail means for its message. reached tells whether a connection
// was handed to the request: without one, not a byte of it can have been written. Whatever does not prove that SES did not
// take the message is Unknown.
func classify(err error, reached bool) Outcome {
	var (
		params   smithy.InvalidParamsError
		api      smithy.APIError
		response *smithyhttp.ResponseError
	)
	reason := text(err)
	switch {
	case errors.As(err, &params):
		return Outcome{Kind: Refused, Reason: reason}
	case !reached:
		return Outcome{Kind: NotAccepted, Reason: reason}
	case !errors.As(err, &response), !errors.As(err, &api), api.ErrorCode() == unnamedError:
		// No answer, or one that SES did not write, or not to its end: something in between can't speak for SES.
		return Outcome{Kind: Unknown, Reason: reason}
	}
	said := strings.ToLower(api.ErrorMessage())
	switch meanings[api.ErrorCode()] {
	case throttled:
		if strings.Contains(said, "daily") && strings.Contains(said, "quota") {
			return Outcome{Kind: QuotaReached, Reason: reason}
		}
		return Outcome{Kind: NotAccepted, Reason: reason, Throttled: true}
	case refused:
		for _, text := range accountTexts {
			if strings.Contains(said, text) {
				return Outcome{Kind: Stop, Reason: reason}
			}
		}
		return Outcome{Kind: Refused, Reason: reason}
	case stopped:
		if strings.Contains(said, "signature expired") || strings.Contains(said, "signature not yet current") {
			// One request that was slow on its way, and not the credentials.
			return Outcome{Kind: NotAccepted, Reason: reason}
		}
		return Outcome{Kind: Stop, Reason: reason}
	case late:
		return Outcome{Kind: NotAccepted, Reason: reason}
	case silent:
		return Outcome{Kind: Unknown, Reason: reason}
	}
	// A code of which we have not heard. AWS answers 4xx to what it did not do; whether it is about this message or about
	// all is for a human to say: a recipient can't be taken back from failed.
	if status := response.HTTPStatusCode(); status >= 400 && status < 500 && status != http.StatusRequestTimeout {
		return Outcome{Kind: Stop, Reason: reason}
	}
	return Outcome{Kind: Unknown, Reason: reason}
}

// text is the reason in one line: the code and message of AWS where there are any.
func text(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != unnamedError {
		return oneLine(strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": "))
	}
	var response *smithyhttp.ResponseError
	// The status is 0 where there was no answer.
	if errors.As(err, &response) && response.HTTPStatusCode() >= 300 {
		status := response.HTTPStatusCode()
		return strings.TrimSpace(fmt.Sprintf("an answer without an error code of SES: HTTP status %d %s", status, http.StatusText(status)))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer from SES in time"
	}
	// What the SDK wraps around these says nothing more.
	var (
		unread    *smithy.DeserializationError
		unsent    *smithyhttp.RequestSendError
		operation *smithy.OperationError
	)
	switch {
	case errors.As(err, &unread):
		err = fmt.Errorf("an answer that can't be read: %w", unread.Unwrap())
	case errors.As(err, &unsent):
		err = unsent.Unwrap()
	case errors.As(err, &operation):
		err = operation.Unwrap()
	}
	return oneLine(err.Error())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
