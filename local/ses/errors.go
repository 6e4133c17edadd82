package ses

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// Error is an error answer of SES: Code goes into the header X-Amzn-ErrorType, from which SDKs make their typed errors. An
// answer without a Code is one of something between SES and its caller.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// What SES answers to SendEmail for reasons that do not lie in the message. The two texts of TooManyRequestsException mean
// opposite things to a sender: slow down, and stop for today. ErrRate, ErrDailyQuota, ErrPaused and ErrUnavailable happen here
// of themselves; all may be the Error of a Fault.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
// https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
var (
	ErrRate             = &Error{http.StatusTooManyRequests, "TooManyRequestsException", rateText}
	ErrDailyQuota       = &Error{http.StatusTooManyRequests, "TooManyRequestsException", quotaText}
	ErrLimit            = &Error{http.StatusBadRequest, "LimitExceededException", "There are too many instances of the specified resource type."}
	ErrLimitRate        = &Error{http.StatusBadRequest, "LimitExceededException", rateText}
	ErrLimitQuota       = &Error{http.StatusBadRequest, "LimitExceededException", quotaText}
	ErrPaused           = &Error{http.StatusBadRequest, "SendingPausedException", "The message can't be sent because the account's ability to send email is currently paused."}
	ErrSuspended        = &Error{http.StatusBadRequest, "AccountSuspendedException", "The message can't be sent because the account's ability to send email has been permanently restricted."}
	ErrMailFrom         = &Error{http.StatusBadRequest, "MailFromDomainNotVerifiedException", "The message can't be sent because the sending domain isn't verified."}
	ErrConfigurationSet = &Error{http.StatusNotFound, "NotFoundException", "Configuration set <fanmail> does not exist."}
	ErrContent          = &Error{http.StatusBadRequest, "MessageRejected", "The message can't be sent because it contains invalid content."}
	ErrRejectedPaused   = &Error{http.StatusBadRequest, "MessageRejected", "Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account."}
	ErrRejectedSuspend  = &Error{http.StatusBadRequest, "MessageRejected", "Sending suspended for this account. For more information, please check the inbox of the email address associated with your AWS account."}
	ErrInternal         = &Error{http.StatusInternalServerError, "InternalServiceErrorException", "The request could not be processed because of an internal error."}
)

// What all of AWS answers, whatever the call.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html
var (
	ErrThrottling     = &Error{http.StatusBadRequest, "ThrottlingException", rateText}
	ErrThrottlingDay  = &Error{http.StatusBadRequest, "ThrottlingException", quotaText}
	ErrAccessDenied   = &Error{http.StatusForbidden, "AccessDeniedException", "User is not authorized to perform: ses:SendEmail"}
	ErrExpiredToken   = &Error{http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired"}
	ErrSignature      = &Error{http.StatusForbidden, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."}
	ErrRequestExpired = &Error{http.StatusBadRequest, "RequestExpired", "The request reached the service more than 15 minutes after the date stamp on the request."}
	ErrRequestTimeout = &Error{http.StatusRequestTimeout, "RequestTimeoutException", "Reading the request timed out."}
	ErrInternalFail   = &Error{http.StatusInternalServerError, "InternalFailure", "The request processing has failed because of an unknown error."}
	ErrUnavailable    = &Error{http.StatusServiceUnavailable, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."}
)

// https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
const (
	rateText  = "Maximum sending rate exceeded."
	quotaText = "Daily message quota exceeded."
)

func badRequest(format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, "BadRequestException", fmt.Sprintf(format, args...)}
}

func rejected(format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, "MessageRejected", fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *Error {
	return &Error{http.StatusNotFound, "NotFoundException", fmt.Sprintf(format, args...)}
}

func (s *Service) answerError(w http.ResponseWriter, e *Error) {
	if e.Code != "" {
		w.Header().Set("X-Amzn-ErrorType", e.Code)
	}
	s.answer(w, e.Status, map[string]string{"message": e.Message})
}

func (s *Service) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-RequestId", uuid.NewString())
	text, err := json.Marshal(body)
	if err != nil {
		s.config.Logger.Error("the local SES can't write an answer", "error", err)
		status, text = http.StatusInternalServerError, []byte("{}")
	}
	text = append(text, '\n')
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil {
		s.config.Logger.Debug("answering a caller of the local SES", "error", err)
	}
}

func (s *Service) unknownOperation(w http.ResponseWriter, r *http.Request) {
	s.answerError(w, &Error{http.StatusNotFound, "UnknownOperationException",
		fmt.Sprintf("The local SES does not have the operation %s %s: it knows SendEmail, GetAccount, GetEmailIdentity, GetConfigurationSet and GetConfigurationSetEventDestinations.", r.Method, r.URL.Path)})
}
