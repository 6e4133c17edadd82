package mailer

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"fanmail/local/ses"
)

// row is an answer of SES, and what it must mean.
type row struct {
	name      string
	fault     ses.Fault
	want      Kind
	throttled bool
}

// says is a fault that answers an error.
func says(status int, code, message string) ses.Fault {
	return ses.Fault{Error: &ses.Error{Status: status, Code: code, Message: message}}
}

// rows has every error code that classify knows, every modelled exception of the SDK, and answers that are not SES's.
var rows = []row{
	{"accepted", ses.Fault{}, Accepted, false},
	{"accepted without an id", ses.Fault{Answer: `{}`}, Unknown, false},
	{"accepted, id null", ses.Fault{Answer: `{"MessageId": null}`}, Unknown, false},
	{"accepted, answer malformed", ses.Fault{Answer: `{"MessageId": `}, Unknown, false},
	{"accepted, answer of another kind", ses.Fault{Answer: `["m1"]`}, Unknown, false},
	{"accepted, page of a portal", proxy(200, "<html>Please log in</html>"), Unknown, false},
	{"accepted, 202 without a body", proxy(202, "\n"), Unknown, false},

	{"rate exceeded", ses.Fault{Error: ses.ErrRate}, NotAccepted, true},
	{"too many requests of another kind", says(429, "TooManyRequestsException", "Too many requests have been made to the operation."), NotAccepted, true},
	{"daily quota exceeded", ses.Fault{Error: ses.ErrDailyQuota}, QuotaReached, false},
	{"daily quota exceeded, in the words of the support", says(429, "TooManyRequestsException", "Daily sending quota exceeded"), QuotaReached, false},
	{"limit exceeded", ses.Fault{Error: ses.ErrLimit}, NotAccepted, true},
	{"limit exceeded, rate", ses.Fault{Error: ses.ErrLimitRate}, NotAccepted, true},
	{"limit exceeded, quota", ses.Fault{Error: ses.ErrLimitQuota}, QuotaReached, false},
	{"throttling exception, rate", ses.Fault{Error: ses.ErrThrottling}, NotAccepted, true},
	{"throttling exception, quota", ses.Fault{Error: ses.ErrThrottlingDay}, QuotaReached, false},
	{"throttling", says(400, "Throttling", "Rate exceeded"), NotAccepted, true},
	{"throttling with 503", says(503, "Throttling", "Rate exceeded"), NotAccepted, true},
	{"throttled", says(429, "ThrottledException", "Rate exceeded"), NotAccepted, true},
	{"request throttled", says(503, "RequestThrottled", "Rate exceeded"), NotAccepted, true},
	{"request throttled exception", says(429, "RequestThrottledException", "Rate exceeded"), NotAccepted, true},
	{"request limit", says(503, "RequestLimitExceeded", "Request limit exceeded."), NotAccepted, true},
	{"slow down", says(503, "SlowDown", "Reduce your request rate."), NotAccepted, true},
	{"bandwidth limit", says(509, "BandwidthLimitExceeded", "Bandwidth limit exceeded."), NotAccepted, true},

	{"message rejected", ses.Fault{Error: ses.ErrContent}, Refused, false},
	{"bad request", says(400, "BadRequestException", "Missing final '@domain'"), Refused, false},
	{"validation", says(400, "ValidationException", "1 validation error detected"), Refused, false},
	{"validation error", says(400, "ValidationError", "The input fails to satisfy the constraints."), Refused, false},
	{"serialization", says(400, "SerializationException", "NUMBER_VALUE can not be converted to a String"), Refused, false},
	{"malformed request", says(400, "MalformedHttpRequestException", "Can't decompress the body."), Refused, false},
	{"request too large", says(413, "RequestEntityTooLargeException", "Request entity too large"), Refused, false},

	{"identity not verified", says(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region US-EAST-1: shop@example.com"), Stop, false},
	{"rejected, sending paused", ses.Fault{Error: ses.ErrRejectedPaused}, Stop, false},
	{"rejected, sending suspended", ses.Fault{Error: ses.ErrRejectedSuspend}, Stop, false},
	{"sending paused", ses.Fault{Error: ses.ErrPaused}, Stop, false},
	{"account suspended", ses.Fault{Error: ses.ErrSuspended}, Stop, false},
	{"MAIL FROM not verified", ses.Fault{Error: ses.ErrMailFrom}, Stop, false},
	{"configuration set missing", ses.Fault{Error: ses.ErrConfigurationSet}, Stop, false},
	{"no permission", ses.Fault{Error: ses.ErrAccessDenied}, Stop, false},
	{"no permission with 400", says(400, "AccessDeniedException", "not authorized"), Stop, false},
	{"not authorized", says(401, "NotAuthorized", "You do not have permission to perform this action."), Stop, false},
	{"not subscribed", says(403, "OptInRequired", "The access key needs a subscription for the service."), Stop, false},
	{"credentials expired", ses.Fault{Error: ses.ErrExpiredToken}, Stop, false},
	{"bad signature", ses.Fault{Error: ses.ErrSignature}, Stop, false},
	{"half a signature", says(400, "IncompleteSignature", "The request signature does not conform to AWS standards."), Stop, false},
	{"unknown access key", says(403, "UnrecognizedClientException", "The security token included in the request is invalid."), Stop, false},
	{"invalid access key", says(403, "InvalidClientTokenId", "The security token included in the request is invalid."), Stop, false},
	{"no such operation", says(404, "UnknownOperationException", "Unknown operation"), Stop, false},
	{"conflict", says(409, "ConflictException", "An update of the account is under review."), Stop, false},
	{"already exists", says(400, "AlreadyExistsException", "The resource already exists."), Stop, false},
	{"invalid next token", says(400, "InvalidNextTokenException", "The token is invalid."), Stop, false},
	{"client error that is new to us", says(400, "TenantUnderReviewException", "The tenant is under review."), Stop, false},

	{"request expired", ses.Fault{Error: ses.ErrRequestExpired}, NotAccepted, false},

	{"internal error", ses.Fault{Error: ses.ErrInternal}, Unknown, false},
	{"internal failure", ses.Fault{Error: ses.ErrInternalFail}, Unknown, false},
	{"internal server error", says(500, "InternalServerError", "oops"), Unknown, false},
	{"unavailable", ses.Fault{Error: ses.ErrUnavailable}, Unknown, false},
	{"unavailable exception", says(503, "ServiceUnavailableException", "Service is unavailable"), Unknown, false},
	{"request timed out", ses.Fault{Error: ses.ErrRequestTimeout}, Unknown, false},
	{"request timed out, 400", says(400, "RequestTimeout", "Your socket connection to the server was not read from or written to."), Unknown, false},
	{"request aborted", says(400, "RequestAbortedException", "The client closed the connection."), Unknown, false},
	{"concurrent modification", says(500, "ConcurrentModificationException", "try again"), Unknown, false},
	{"server error that is new to us", says(500, "TenantException", "oops"), Unknown, false},

	{"400 without a code", says(400, "", "no"), Unknown, false},
	{"403 without a code", says(403, "", "Forbidden"), Unknown, false},
	{"429 without a code", says(429, "", "slow down"), Unknown, false},
	{"500 without a code", says(500, "", "oops"), Unknown, false},
	{"503 without a code", says(503, "", "unavailable"), Unknown, false},
	{"accepted, 400 of a proxy", proxy(400, "<html>Bad Request</html>"), Unknown, false},
	{"accepted, 403 of a firewall", proxy(403, "<html>Blocked</html>"), Unknown, false},
	{"accepted, 429 of a proxy", proxy(429, "<html>Too Many Requests</html>"), Unknown, false},
	{"accepted, 502 of a proxy", proxy(502, "<html>Bad Gateway</html>"), Unknown, false},
	{"accepted, 504 of a proxy", proxy(504, "upstream request timeout"), Unknown, false},
	{"accepted, moved", redirect(301), Unknown, false},
	{"accepted, found", redirect(302), Unknown, false},
	{"accepted, see other", redirect(303), Unknown, false},
	{"accepted, temporarily moved", redirect(307), Unknown, false},
	{"accepted, permanently moved", redirect(308), Unknown, false},
	{"accepted, moved without saying where", proxy(307, "<html>Moved</html>"), Unknown, false},

	{"dropped", ses.Fault{Drop: true}, Unknown, false},
	{"reset", ses.Fault{Drop: true, Reset: true}, Unknown, false},
	{"accepted, answer lost", ses.Fault{LoseAnswer: true}, Unknown, false},
	{"accepted, reset", ses.Fault{LoseAnswer: true, Reset: true}, Unknown, false},
	{"accepted, half an answer", ses.Fault{CutAnswer: true}, Unknown, false},
	{"accepted, reset in the answer", ses.Fault{CutAnswer: true, Reset: true}, Unknown, false},
	{"half an error", ses.Fault{CutAnswer: true, Answer: `{"message":"Maximum sending rate exceeded."}`, AnswerStatus: 429,
		AnswerHeader: http.Header{"X-Amzn-Errortype": {"TooManyRequestsException"}}}, Unknown, false},
}

// proxy accepts the message, and something in between answers in HTML.
func proxy(status int, body string) ses.Fault {
	return ses.Fault{Answer: body, AnswerStatus: status, AnswerHeader: http.Header{"Content-Type": {"text/html"}}}
}

func redirect(status int) ses.Fault {
	fault := proxy(status, "<html>Moved</html>")
	fault.AnswerHeader.Set("Location", "/v2/email/outbound-emails") // following it would be a second call
	return fault
}

func TestEveryAnswerOfSESHasOneMeaning(t *testing.T) {
	for _, test := range rows {
		t.Run(test.name, func(t *testing.T) {
			a := startSES(t, ses.Config{Fault: func(*ses.Request) ses.Fault { return test.fault }})
			got := sendOne(t, newMailer(t, a.url))
			if got.Kind != test.want || got.Throttled != test.throttled {
				t.Errorf("outcome %+v, want %s, throttled %v", got, test.want, test.throttled)
			}
			if got.Kind != Accepted && (got.Reason == "" || strings.ContainsAny(got.Reason, "\r\n")) {
				t.Errorf("the outcome has no reason of one line: %q", got.Reason)
			}
			if got := a.calls.Load(); got != 1 {
				t.Errorf("SES was called %d times, want once", got)
			}
			agrees(t, got, a.Accepted())
		})
	}
}

// TestEveryModelledErrorHasARow reads the errors that the SDK makes of answers. It keeps one list for all operations, so
// any of them may come from SendEmail.
func TestEveryModelledErrorHasARow(t *testing.T) {
	tested := map[string]bool{}
	for _, r := range rows {
		if r.fault.Error != nil {
			tested[r.fault.Error.Code] = true
		}
	}
	modelled := slices.Sorted(maps.Keys(sesv2.TypeRegistry.Entries))
	if len(modelled) < 13 {
		t.Fatalf("the SDK has the errors %q only: is this still where it lists them?", modelled)
	}
	for _, id := range modelled {
		_, code, _ := strings.Cut(id, "#")
		if !tested[code] || meanings[code] == 0 {
			t.Errorf("%s has no row in the test or no meaning in classify", code)
		}
	}
	for code := range meanings {
		if !tested[code] {
			t.Errorf("%s has a meaning, and no row in the test", code)
		}
	}
}

func TestWhatSESRefusesOfItselfHasOneMeaning(t *testing.T) {
	none := func(*ses.Settings) {}
	for _, test := range []struct {
		name    string
		config  ses.Config
		change  func(*ses.Settings)
		before  int // messages that are sent first
		address string
		want    Outcome
	}{
		{"rate used up", ses.Config{MaxSendRate: 1e-6}, none, 1, "a@example.com",
			Outcome{Kind: NotAccepted, Reason: "TooManyRequestsException: Maximum sending rate exceeded.", Throttled: true}},
		{"daily quota used up", ses.Config{Max24HourSend: 1}, none, 1, "a@example.com",
			Outcome{Kind: QuotaReached, Reason: "TooManyRequestsException: Daily message quota exceeded."}},
		{"sending disabled", ses.Config{}, func(s *ses.Settings) { s.SendingEnabled = false }, 0, "a@example.com",
			Outcome{Kind: Stop, Reason: "SendingPausedException: The message can't be sent because the account's ability to send email is currently paused."}},
		{"sender not verified", ses.Config{VerifiedIdentities: []string{"example.org"}}, none, 0, "a@example.com",
			Outcome{Kind: Stop, Reason: "MessageRejected: Email address is not verified. The following identities failed the check in region US-EAST-1: shop@example.com"}},
		{"bad address", ses.Config{}, none, 0, "a@example..com",
			Outcome{Kind: Refused, Reason: "BadRequestException: Domain contains dot-dot"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := startSES(t, test.config)
			if _, err := a.Change(func(s *ses.Settings) error { test.change(s); return nil }); err != nil {
				t.Fatal(err)
			}
			m := newMailer(t, a.url)
			for range test.before {
				if got := sendOne(t, m); got.Kind != Accepted {
					t.Fatalf("outcome %+v", got)
				}
			}
			if got := sendTo(t, m, test.address); got != test.want {
				t.Errorf("outcome %+v, want %+v", got, test.want)
			}
			if got := a.calls.Load(); got != int64(test.before)+1 || a.Accepted() != int64(test.before) {
				t.Errorf("%d calls, %d accepted", got, a.Accepted())
			}
		})
	}
}
