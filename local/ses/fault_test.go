package ses_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

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
