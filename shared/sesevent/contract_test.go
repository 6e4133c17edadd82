package sesevent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/uuid"

	"fanmail/local/ses"
	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/sesevent"
)

// mailbox is a local SES, what it publishes, and a client.
func mailbox(t *testing.T) (url string, client *sesv2.Client, bodies <-chan string) {
	t.Helper()
	published := make(chan string, 1000)
	service, err := ses.New(ses.Config{Directory: t.TempDir(), Publish: func(events []ses.Published) error {
		for _, e := range events {
			published <- string(e.Body)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		service.Close()
		server.Close()
	})
	return server.URL, sesv2.New(sesv2.Options{
		BaseEndpoint: aws.String(server.URL), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), RetryMaxAttempts: 1,
	}), published
}

// TestWhatTheLocalSESPublishesIsRead holds the two against each other, for every type of event.
func TestWhatTheLocalSESPublishesIsRead(t *testing.T) {
	url, client, bodies := mailbox(t)
	content := &types.Content{Data: aws.String("hello")}
	tags := map[string]string{mailer.TagCampaign: "spring-sale", mailer.TagID: tag, mailer.TagSeq: "42", mailer.TagClaim: claim}
	in := &sesv2.SendEmailInput{
		FromEmailAddress: aws.String("news@example.com"), ConfigurationSetName: aws.String("fanmail-test"),
		Destination: &types.Destination{ToAddresses: []string{"a@example.com"}},
		Content:     &types.EmailContent{Simple: &types.Message{Subject: content, Body: &types.Body{Text: content}}},
	}
	for name, value := range tags {
		in.EmailTags = append(in.EmailTags, types.MessageTag{Name: aws.String(name), Value: aws.String(value)})
	}
	sent, err := client.SendEmail(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"Send", "Delivery"}
	for _, kind := range []string{"Bounce", "Complaint", "Reject", "Open", "Click", "Rendering Failure", "DeliveryDelay"} {
		response, err := http.Post(url+"/_ses/events", "application/json", strings.NewReader(fmt.Sprintf(`{"messageId":%q,"eventType":%q}`, *sent.MessageId, kind)))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode >= 300 {
			t.Fatalf("%s: %s", kind, response.Status)
		}
		kinds = append(kinds, kind)
	}
	got := map[string]bool{}
	for range kinds {
		body := <-bodies
		parsed, err := sesevent.Parse(body)
		if err != nil || parsed.Event == nil {
			t.Fatalf("%s: %+v, %v", body, parsed, err)
		}
		e := *parsed.Event
		if e.Campaign != "spring-sale" || e.Tag != uuid.MustParse(tag) || e.Seq != 42 || e.Claim != uuid.MustParse(claim) || e.MessageID != *sent.MessageId || e.Accepted.IsZero() {
			t.Errorf("%s: %+v", body, e)
		}
		got[told(e)] = true
	}
	for _, want := range []string{"", "delivered", "bounced Permanent/General", "complained", "rejected", "opened", "clicked"} {
		if !got[want] {
			t.Errorf("no event tells %q: %v", want, got)
		}
	}
}

// told is what an event tells beside that SES accepted the message.
func told(e ledger.Event) string {
	switch {
	case e.Rejected != "":
		return "rejected"
	case !e.Delivered.IsZero():
		return "delivered"
	case !e.Bounced.IsZero():
		return "bounced " + e.Bounce
	case !e.Complained.IsZero():
		return "complained"
	case !e.Opened.IsZero():
		return "opened"
	case !e.Clicked.IsZero():
		return "clicked"
	}
	return ""
}

func TestTheMailersProbeIsAWitness(t *testing.T) {
	_, client, bodies := mailbox(t)
	id := uuid.New()
	if err := mailer.Probe(t.Context(), client, campaign.Campaign{Name: "spring-sale", From: "news@example.com"}, id, "fanmail-test"); err != nil {
		t.Fatal(err)
	}
	parsed, err := sesevent.Parse(<-bodies) // Send
	if err != nil || parsed.Witness == nil || parsed.Witness.Tag != id || parsed.Witness.Campaign != "spring-sale" || parsed.Witness.Accepted.IsZero() {
		t.Errorf("%+v, %v", parsed, err)
	}
	parsed, err = sesevent.Parse(<-bodies) // Delivery
	if err != nil || parsed.Skipped != sesevent.Probe {
		t.Errorf("%+v, %v", parsed, err)
	}
}
