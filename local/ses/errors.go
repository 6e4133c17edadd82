package ses

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// Error is an error answer of SES: Code goes into the header X-Amzn-ErrorType, from which SDKs make their typed errors.
type Error struct {
	Status  int
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The answers that depend on the account and not on the message. The two texts of TooManyRequestsException mean opposite
// things to a sender: slow down, and stop for today.
var (
	ErrRate        = &Error{http.StatusTooManyRequests, "TooManyRequestsException", "Maximum sending rate exceeded."}
	ErrDailyQuota  = &Error{http.StatusTooManyRequests, "TooManyRequestsException", "Daily message quota exceeded."}
	ErrPaused      = &Error{http.StatusBadRequest, "SendingPausedException", "The message can't be sent because the account's ability to send email is currently paused."}
	ErrSuspended   = &Error{http.StatusBadRequest, "AccountSuspendedException", "The message can't be sent because the account's ability to send email has been permanently restricted."}
	ErrMailFrom    = &Error{http.StatusBadRequest, "MailFromDomainNotVerifiedException", "The message can't be sent because the sending domain isn't verified."}
	ErrLimit       = &Error{http.StatusBadRequest, "LimitExceededException", "There are too many instances of the specified resource type."}
	ErrInternal    = &Error{http.StatusInternalServerError, "InternalServiceErrorException", "The request could not be processed because of an internal error."}
	ErrUnavailable = &Error{http.StatusServiceUnavailable, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."}
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
	w.Header().Set("X-Amzn-ErrorType", e.Code)
	s.answer(w, e.Status, map[string]string{"message": e.Message})
}

func (s *Service) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-RequestId", uuid.NewString())
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.config.Logger.Debug("answering a caller of the local SES", "error", err)
	}
}

func (s *Service) unknownOperation(w http.ResponseWriter, r *http.Request) {
	s.answerError(w, &Error{http.StatusNotFound, "UnknownOperationException",
		fmt.Sprintf("The local SES does not have the operation %s %s: it knows SendEmail and GetAccount.", r.Method, r.URL.Path)})
}
