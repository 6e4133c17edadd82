package ses_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"fanmail/local/ses"
)

// change changes the settings of the account.
func (a *account) change(t *testing.T, f func(*ses.Settings)) {
	t.Helper()
	if _, err := a.Change(func(s *ses.Settings) error { f(s); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestIdentitiesAreAsTheSettingsSay(t *testing.T) {
	a := start(t, ses.Config{MaxSendRate: 1e6})
	ask := func(name string) *sesv2.GetEmailIdentityOutput {
		t.Helper()
		out, err := a.client.GetEmailIdentity(t.Context(), &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
		if missing := (*types.NotFoundException)(nil); errors.As(err, &missing) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := ask("example.com"); !out.VerifiedForSendingStatus || out.DkimAttributes.Status != types.DkimStatusSuccess ||
		!slices.Equal(out.DkimAttributes.Tokens, ses.Tokens("example.com")) || out.MailFromAttributes.MailFromDomain != nil {
		t.Errorf("without settings every domain is verified: %+v", out)
	}
	if ask("shop@example.com") != nil {
		t.Error("nobody made an identity of this address")
	}
	a.change(t, func(s *ses.Settings) {
		s.Identities = []ses.Identity{{Name: "example.com"}, {Name: "me@example.net", Verified: true},
			{Name: "example.org", Verified: true, DKIM: "FAILED", MailFrom: "bounce.example.org", MailFromStatus: "PENDING"}}
	})
	if out := ask("example.com"); out.VerifiedForSendingStatus || out.VerificationStatus != types.VerificationStatusPending || out.DkimAttributes.Status != types.DkimStatusPending {
		t.Errorf("it is not verified: %+v", out)
	}
	if out := ask("me@example.net"); out.IdentityType != types.IdentityTypeEmailAddress || !out.VerifiedForSendingStatus || out.DkimAttributes.SigningEnabled {
		t.Errorf("it is an address: %+v", out)
	}
	if out := ask("example.org"); out.DkimAttributes.Status != types.DkimStatusFailed || *out.MailFromAttributes.MailFromDomain != "bounce.example.org" ||
		out.MailFromAttributes.MailFromDomainStatus != types.MailFromDomainStatusPending {
		t.Errorf("its records are missing: %+v", out)
	}
	if ask("example.edu") != nil {
		t.Error("it is none of the account's")
	}
	if e := a.sendError(t, email("a@example.org")); e.ErrorCode() != "MessageRejected" {
		t.Errorf("its domain is not verified: %v", e)
	}
}

func TestTheSandboxMailsVerifiedAddressesAndTheSimulatorOnly(t *testing.T) {
	a := start(t, ses.Config{MaxSendRate: 1e6, VerifiedIdentities: []string{"example.com"}})
	a.send(t, email("a@example.org"))
	a.change(t, func(s *ses.Settings) { s.ProductionAccessEnabled, s.EnforcementStatus = false, "PROBATION" })
	a.send(t, email("me@example.com"))
	a.send(t, email("success@simulator.amazonses.com"))
	if e := a.sendError(t, email("a@example.org")); e.ErrorCode() != "MessageRejected" {
		t.Errorf("got %v", e)
	}
	out, err := a.client.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	if err != nil || out.ProductionAccessEnabled || aws.ToString(out.EnforcementStatus) != "PROBATION" {
		t.Errorf("%+v %v", out, err)
	}
}

func TestAConfigurationSetPublishesWhatItsDestinationsSay(t *testing.T) {
	events := newTarget()
	a := start(t, ses.Config{MaxSendRate: 1e6, Publish: events.publish, DeliveryDelay: -1})
	destinations := func() []types.EventDestination {
		t.Helper()
		out, err := a.client.GetConfigurationSetEventDestinations(t.Context(), &sesv2.GetConfigurationSetEventDestinationsInput{ConfigurationSetName: aws.String("ours")})
		if err != nil {
			t.Fatal(err)
		}
		return out.EventDestinations
	}
	all := destinations()
	if len(all) != 1 || !all[0].Enabled || len(all[0].MatchingEventTypes) != 10 {
		t.Fatalf("without settings every set publishes everything: %+v", all)
	}
	in := email("a@example.org")
	in.ConfigurationSetName = aws.String("ours")
	set := ses.ConfigurationSet{Name: "ours", SendingEnabled: true, Destinations: []ses.EventDestination{
		{Name: "ledger", Enabled: true, Types: []string{"DELIVERY"}, Topic: *all[0].SnsDestination.TopicArn},
		{Name: "off", Types: []string{"SEND"}, Topic: *all[0].SnsDestination.TopicArn},
		{Name: "elsewhere", Enabled: true, Types: []string{"SEND"}, Topic: "arn:aws:sns:us-east-1:000000000000:other"},
	}}
	a.change(t, func(s *ses.Settings) { s.ConfigurationSets = []ses.ConfigurationSet{set} })
	if got := destinations(); len(got) != 3 || got[1].Enabled || !slices.Equal(got[0].MatchingEventTypes, []types.EventType{"DELIVERY"}) {
		t.Errorf("%+v", got)
	}
	a.send(t, in)
	if got := events.next(t, 1)[0]; got.EventType != "Delivery" {
		t.Errorf("published %s", got.EventType)
	}

	set.SendingEnabled = false
	a.change(t, func(s *ses.Settings) { s.ConfigurationSets = []ses.ConfigurationSet{set} })
	if e := a.sendError(t, in); e.ErrorCode() != "SendingPausedException" {
		t.Errorf("got %v", e)
	}
	got, err := a.client.GetConfigurationSet(t.Context(), &sesv2.GetConfigurationSetInput{ConfigurationSetName: aws.String("ours")})
	if err != nil || got.SendingOptions.SendingEnabled {
		t.Errorf("%+v %v", got, err)
	}
	in.ConfigurationSetName = aws.String("theirs")
	if e := a.sendError(t, in); e.ErrorCode() != "NotFoundException" {
		t.Errorf("got %v", e)
	}
}
