package ses_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"fanmail/local/ses"
)

func TestFaultsHappenOnDemand(t *testing.T) {
	typed := func(target any) func(error) bool { return func(err error) bool { return errors.As(err, target) } }
	noAnswer := func(err error) bool {
		var api smithy.APIError
		return err != nil && !errors.As(err, &api)
	}
	tests := []struct {
		name     string
		fault    ses.Fault
		want     func(error) bool
		accepted int64
	}{
		{"none", ses.Fault{}, func(err error) bool { return err == nil }, 1},
		{"rate", ses.Fault{Error: ses.ErrRate}, typed(new(*types.TooManyRequestsException)), 0},
		{"daily quota", ses.Fault{Error: ses.ErrDailyQuota}, typed(new(*types.TooManyRequestsException)), 0},
		{"paused", ses.Fault{Error: ses.ErrPaused}, typed(new(*types.SendingPausedException)), 0},
		{"suspended", ses.Fault{Error: ses.ErrSuspended}, typed(new(*types.AccountSuspendedException)), 0},
		{"MAIL FROM", ses.Fault{Error: ses.ErrMailFrom}, typed(new(*types.MailFromDomainNotVerifiedException)), 0},
		{"limit", ses.Fault{Error: ses.ErrLimit}, typed(new(*types.LimitExceededException)), 0},
		{"internal", ses.Fault{Error: ses.ErrInternal}, typed(new(*types.InternalServiceErrorException)), 0},
		{"unavailable", ses.Fault{Error: ses.ErrUnavailable}, typed(new(*smithy.GenericAPIError)), 0},
		{"dropped", ses.Fault{Drop: true}, noAnswer, 0},
		{"lost answer", ses.Fault{LoseAnswer: true}, noAnswer, 1},
		{"malformed answer", ses.Fault{Answer: `{"MessageId":`}, noAnswer, 1},
		{"half an answer", ses.Fault{CutAnswer: true}, noAnswer, 1},
		{"reset", ses.Fault{Drop: true, Reset: true}, noAnswer, 0},
		{"reset after acceptance", ses.Fault{LoseAnswer: true, Reset: true}, noAnswer, 1},
		{"reset in the answer", ses.Fault{CutAnswer: true, Reset: true}, noAnswer, 1},
		{"answer of a proxy", ses.Fault{Answer: "<html>", AnswerStatus: 502, AnswerHeader: http.Header{"Content-Type": {"text/html"}}}, func(err error) bool {
			var response *smithyhttp.ResponseError
			return errors.As(err, &response) && response.HTTPStatusCode() == 502 && response.Response.Header.Get("Content-Type") == "text/html"
		}, 1},
		{"delays", ses.Fault{Delay: time.Millisecond, AnswerDelay: time.Millisecond}, func(err error) bool { return err == nil }, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := start(t, ses.Config{Fault: func(r *ses.Request) ses.Fault {
				if r.Destination.ToAddresses[0] != "anna@example.org" || r.EmailTags[0].Value != "spring-sale" {
					t.Errorf("asked about %+v", r)
				}
				return test.fault
			}})
			_, err := a.client.SendEmail(t.Context(), email("anna@example.org"))
			if !test.want(err) || a.Accepted() != test.accepted {
				t.Errorf("got %v, %d accepted", err, a.Accepted())
			}
		})
	}
}

func TestHooksRunBetweenTheStepsOfACall(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault ses.Fault
		want  []string
	}{
		{"accepted", ses.Fault{}, []string{"before decision, 0 accepted", "before answer, 1 accepted", "after answer, 1 accepted"}},
		{"refused", ses.Fault{Error: ses.ErrRate}, []string{"before decision, 0 accepted", "after answer, 0 accepted"}},
		{"answer lost", ses.Fault{LoseAnswer: true}, []string{"before decision, 0 accepted", "before answer, 1 accepted"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := start(t, ses.Config{})
			steps := make(chan string, 3)
			hook := func(name string) func() {
				return func() { steps <- fmt.Sprintf("%s, %d accepted", name, a.Accepted()) }
			}
			fault := test.fault
			fault.BeforeDecision, fault.BeforeAnswer, fault.AfterAnswer = hook("before decision"), hook("before answer"), hook("after answer")
			a.SetFault(func(*ses.Request) ses.Fault { return fault })
			a.client.SendEmail(t.Context(), email("anna@example.org"))
			var got []string
			for range test.want {
				got = append(got, <-steps)
			}
			if !slices.Equal(got, test.want) || len(steps) != 0 {
				t.Errorf("got %q and %d more, want %q", got, len(steps), test.want)
			}
		})
	}
}

func TestTheWholeAnswerIsOutBeforeAfterAnswer(t *testing.T) {
	answered := make(chan bool)
	a := start(t, ses.Config{Fault: func(*ses.Request) ses.Fault { return ses.Fault{AfterAnswer: func() { <-answered }} }})
	a.send(t, email("anna@example.org")) // would wait for ever if the answer did
	close(answered)
}

func TestFaultsAreReplacedWhileItRuns(t *testing.T) {
	a := start(t, ses.Config{Fault: func(*ses.Request) ses.Fault { return ses.Fault{Error: ses.ErrRate} }})
	a.sendError(t, email("anna@example.org"))
	a.SetFault(func(*ses.Request) ses.Fault { return ses.Fault{Error: ses.ErrPaused} })
	if e := a.sendError(t, email("anna@example.org")); e.ErrorCode() != ses.ErrPaused.Code {
		t.Errorf("got %v", e)
	}
	a.SetFault(nil)
	a.send(t, email("anna@example.org"))
}

func TestAFaultSeesWhoCalls(t *testing.T) {
	callers := make(chan string, 1)
	a := start(t, ses.Config{Fault: func(r *ses.Request) ses.Fault {
		callers <- r.Caller
		return ses.Fault{}
	}})
	a.client = newClientOf(a.url, "AKIASENDER7")
	a.send(t, email("anna@example.org"))
	if got := <-callers; got != "AKIASENDER7" {
		t.Errorf("the caller is %q", got)
	}
	if got := a.entries(t)[0].Caller; got != "AKIASENDER7" {
		t.Errorf("the mailbox has the caller %q", got)
	}
	response, err := http.Post(a.url+"/v2/email/outbound-emails", "application/json", strings.NewReader(
		`{"Caller":"forged","FromEmailAddress":"a@example.com","Destination":{"ToAddresses":["b@example.org"]},"Content":{"Simple":{"Subject":{"Data":"a"},"Body":{"Text":{"Data":"b"}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := <-callers; got != "" || response.StatusCode != 200 {
		t.Errorf("the caller of an unsigned call is %q, status %d", got, response.StatusCode)
	}
}
