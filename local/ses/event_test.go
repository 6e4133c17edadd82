package ses_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"fanmail/local/ses"
)

// target is where events go.
type target chan ses.Published

func newTarget() target { return make(target, 10_000) }

func (t target) publish(events []ses.Published) error {
	for _, event := range events {
		t <- event
	}
	return nil
}

// record is an event as a consumer reads it.
type record struct {
	EventType string
	Mail      struct {
		Timestamp, Source, SourceArn, SendingAccountID, MessageID string
		Destination                                               []string
		HeadersTruncated                                          *bool
		Headers                                                   []struct{ Name, Value string }
		CommonHeaders                                             struct {
			From, To, ReplyTo  []string
			MessageID, Subject string
		}
		Tags map[string][]string
	}
	Send, Open, Reject, Failure, DeliveryDelay map[string]any
	Delivery                                   *struct {
		Timestamp, SMTPResponse string
		ProcessingTimeMillis    int
		Recipients              []string
	}
	Bounce *struct {
		BounceType, BounceSubType, Timestamp, FeedbackID string
		BouncedRecipients                                []struct{ EmailAddress, Action, Status, DiagnosticCode string }
	}
	Complaint *struct {
		ComplainedRecipients                         []struct{ EmailAddress string }
		Timestamp, FeedbackID, ComplaintFeedbackType string
	}
	Click *struct{ Link, IPAddress, Timestamp, UserAgent string }

	delay time.Duration
}

// next returns the next n events.
func (t target) next(tb testing.TB, n int) []record {
	tb.Helper()
	var records []record
	for range n {
		event := <-t
		r := record{delay: event.Delay}
		if err := json.Unmarshal(event.Body, &r); err != nil {
			tb.Fatalf("%v in %s", err, event.Body)
		}
		records = append(records, r)
	}
	return records
}

// tracked is a message with events.
func tracked(to ...string) *sesv2.SendEmailInput {
	input := email(to...)
	input.ConfigurationSetName = aws.String("fanmail")
	return input
}

func TestSESPublishesWhatBecomesOfAMessage(t *testing.T) {
	for _, test := range []struct {
		address string
		want    string // type/bounce type/subtype@delay in steps
	}{
		{"anna@example.org", "Send@0 Delivery@1"},
		{"bounce@example.org", "Send@0 Delivery@1"},
		{"success@simulator.amazonses.com", "Send@0 Delivery@1"},
		{"bounce@simulator.amazonses.com", "Send@0 Bounce/Permanent/General@1"},
		{"Bounce+17@Simulator.amazonses.com", "Send@0 Bounce/Permanent/General@1"},
		{"suppressionlist@simulator.amazonses.com", "Send@0 Bounce/Permanent/Suppressed@1"},
		{"complaint+a+b@simulator.amazonses.com", "Send@0 Delivery@1 Complaint@2"},
		{"ooto+x@simulator.amazonses.com", "Send@0 Delivery@1 Bounce/Transient/General@2"},
	} {
		t.Run(test.address, func(t *testing.T) {
			events, now := newTarget(), newClock()
			a := start(t, ses.Config{Publish: events.publish, DeliveryDelay: time.Second, Clock: now.Now})
			id := a.send(t, tracked(test.address))
			want := strings.Fields(test.want)
			var got []string
			for _, r := range events.next(t, len(want)) {
				name := r.EventType
				if r.Bounce != nil {
					name += "/" + r.Bounce.BounceType + "/" + r.Bounce.BounceSubType
				}
				got = append(got, fmt.Sprintf("%s@%.0f", name, r.delay.Seconds()))
				if r.Mail.MessageID != id || r.Mail.Destination[0] != test.address || r.Mail.Timestamp != "2026-11-23T09:00:00.000Z" {
					t.Errorf("%s is about %+v", name, r.Mail)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAnEventTellsAllAboutItsMessage(t *testing.T) {
	events, now := newTarget(), newClock()
	a := start(t, ses.Config{Publish: events.publish, Clock: now.Now, Account: "123456789012"})
	input := tracked("Ben <ben@example.org>", "bounce@simulator.amazonses.com")
	input.ReplyToAddresses = []string{"reply@example.com"}
	input.Content.Simple.Headers = []types.MessageHeader{{Name: aws.String("List-Unsubscribe"), Value: aws.String("<https://example.com/u>")}}
	id := a.send(t, input)
	all := events.next(t, 3)
	mail := all[0].Mail
	if mail.Source != `"The Shop" <shop@example.com>` || mail.SourceArn != "arn:aws:ses:us-east-1:123456789012:identity/shop@example.com" ||
		mail.SendingAccountID != "123456789012" || mail.HeadersTruncated == nil || *mail.HeadersTruncated ||
		!slices.Equal(mail.Destination, []string{"ben@example.org", "bounce@simulator.amazonses.com"}) {
		t.Errorf("mail is %+v", mail)
	}
	if c := mail.CommonHeaders; c.Subject != "봄 세일" || c.MessageID != id || c.From[0] != mail.Source || c.To[0] != "Ben <ben@example.org>" || c.ReplyTo[0] != "reply@example.com" {
		t.Errorf("common headers are %+v", c)
	}
	if last := mail.Headers[len(mail.Headers)-1]; last.Name != "List-Unsubscribe" || last.Value != "<https://example.com/u>" {
		t.Errorf("headers are %+v", mail.Headers)
	}
	for name, want := range map[string]string{
		"campaign": "spring-sale", "ses:configuration-set": "fanmail", "ses:source-ip": "127.0.0.1", "ses:from-domain": "example.com", "ses:caller-identity": "local",
	} {
		if got := mail.Tags[name]; len(got) != 1 || got[0] != want {
			t.Errorf("tag %s is %q, want %s", name, got, want)
		}
	}
	if all[0].Send == nil || all[0].delay != 0 {
		t.Errorf("the first event is %+v", all[0])
	}
	bounced := all[1].Bounce
	if bounced == nil || len(bounced.BouncedRecipients) != 1 || bounced.FeedbackID == "" || bounced.Timestamp != "2026-11-23T09:00:00.030Z" {
		t.Fatalf("the second event is %+v", all[1])
	}
	if r := bounced.BouncedRecipients[0]; r.EmailAddress != "bounce@simulator.amazonses.com" || r.Status != "5.1.1" || r.DiagnosticCode != "smtp; 550 5.1.1 user unknown" {
		t.Errorf("bounced: %+v", r)
	}
	if d := all[2].Delivery; d == nil || !slices.Equal(d.Recipients, []string{"ben@example.org"}) || !strings.HasPrefix(d.SMTPResponse, "250 ") {
		t.Errorf("the third event is %+v", all[2])
	}
}

func TestAMessageWithoutAConfigurationSetHasNoEvents(t *testing.T) {
	events := newTarget()
	a := start(t, ses.Config{Publish: events.publish})
	a.send(t, email("anna@example.org"))
	id := a.send(t, tracked("ben@example.org"))
	if got := events.next(t, 2); got[0].Mail.MessageID != id {
		t.Errorf("the first event is of %s, want %s", got[0].Mail.MessageID, id)
	}
}

func TestEventsAreLostDelayedAndDoubledOnDemand(t *testing.T) {
	events := newTarget()
	a := start(t, ses.Config{Publish: events.publish, MaxSendRate: 100, EventFault: func(e ses.EventInfo) []time.Duration {
		if e.MessageID == "" || e.Tags["campaign"] != "spring-sale" {
			t.Errorf("asked about %+v", e)
		}
		switch {
		case e.Recipient == "lost@example.org":
			return nil
		case e.EventType == "Delivery":
			return []time.Duration{time.Hour}
		}
		return []time.Duration{0, time.Minute}
	}})
	a.send(t, tracked("lost@example.org"))
	a.send(t, tracked("anna@example.org"))
	var got []string
	for _, r := range events.next(t, 3) {
		got = append(got, r.EventType+" "+r.delay.String()+" "+r.Mail.Destination[0])
	}
	want := []string{"Send 0s anna@example.org", "Send 1m0s anna@example.org", "Delivery 1h0m0.03s anna@example.org"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnEventIsPublishedOnDemand(t *testing.T) {
	events, now := newTarget(), newClock()
	var broken bool
	a := start(t, ses.Config{Clock: now.Now, Publish: func(p []ses.Published) error {
		if broken {
			return errors.New("the queue is away")
		}
		return events.publish(p)
	}})
	id := a.send(t, tracked("anna@example.org", "ben@example.org"))
	silent := a.send(t, email("anna@example.org"))
	events.next(t, 2)
	now.Advance(time.Hour)
	post := func(status int, body string) string {
		t.Helper()
		response, err := http.Post(a.url+"/_ses/events", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		answer, _ := io.ReadAll(response.Body)
		if response.StatusCode != status {
			t.Errorf("POST %s: %d %s, want %d", body, response.StatusCode, answer, status)
		}
		return string(answer)
	}
	of := func(eventType, more string) string {
		return fmt.Sprintf(`{"messageId":%q,"eventType":%q%s}`, id, eventType, more)
	}
	for _, eventType := range []string{"Send", "Delivery", "Bounce", "Complaint", "Reject", "Open", "Click", "Rendering Failure", "DeliveryDelay"} {
		post(200, of(eventType, ""))
		if got := events.next(t, 1)[0]; got.EventType != eventType || got.Mail.MessageID != id || got.Mail.Timestamp != "2026-11-23T09:00:00.000Z" {
			t.Errorf("%s came as %+v", eventType, got)
		}
	}
	post(200, of("Click", `,"link":"https://shop.example.com/","recipient":"ben@example.org"`))
	if got := events.next(t, 1)[0].Click; got.Link != "https://shop.example.com/" || got.Timestamp != "2026-11-23T10:00:00.000Z" {
		t.Errorf("the click is %+v", got)
	}
	post(200, of("Bounce", `,"bounceType":"Transient","bounceSubType":"MailboxFull"`))
	if got := events.next(t, 1)[0].Bounce; got.BounceType != "Transient" || got.BounceSubType != "MailboxFull" || got.BouncedRecipients[0].EmailAddress != "anna@example.org" {
		t.Errorf("the bounce is %+v", got)
	}
	for body, want := range map[string]string{
		of("open", ""): "Open, Click", of("Open", `,"recipient":"x@example.org"`): "no recipient", of("Open", `,"speed":1`): "speed", "no": "reading",
		fmt.Sprintf(`{"messageId":%q,"eventType":"Open"}`, silent): "configuration set",
	} {
		if got := post(400, body); !strings.Contains(got, want) {
			t.Errorf("POST %s: %s, want %s", body, got, want)
		}
	}
	post(404, `{"messageId":"x","eventType":"Open"}`)
	broken = true
	if got := post(503, of("Open", "")); !strings.Contains(got, "the queue is away") {
		t.Errorf("got %s", got)
	}
}
