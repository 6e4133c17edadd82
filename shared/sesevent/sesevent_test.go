package sesevent_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"fanmail/shared/ledger"
	"fanmail/shared/sesevent"
)

const (
	tag   = "7b2f6a4e-3f0c-4d57-9a43-0e6f0f3c2b11"
	claim = "c0a80121-7ac0-4b1c-9d2e-5f6a7b8c9d0e"

	ours = `"ses:configuration-set":["fanmail-test"],"fanmail-campaign":["spring-sale"],"fanmail-id":["` + tag +
		`"],"fanmail-seq":["42"],"fanmail-claim":["` + claim + `"]`
)

var accepted = time.Date(2026, 11, 23, 9, 0, 0, 123e6, time.UTC)

// event is an SES event with the tags, and whatever the type brings.
func event(eventType, tags, rest string) string {
	if rest != "" {
		rest = "," + rest
	}
	return `{"eventType":"` + eventType + `","mail":{"timestamp":"2026-11-23T09:00:00.123Z","messageId":"0100-m1-000000",` +
		`"source":"news@example.com","destination":["a@example.com"],"headers":[{"name":"Subject","value":"Sale \u0000"}],"tags":{` + tags + `}}` + rest + `}`
}

// notification is SNS's message about an event.
func notification(message string) string {
	text, _ := json.Marshal(message)
	return `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:000000000000:EventsTopic","Message":` + string(text) + `,"SignatureVersion":"1"}`
}

const delivery = `"delivery":{"timestamp":"2026-11-23T09:00:01.456Z","processingTimeMillis":1333,"recipients":["other@example.com"]}`

func TestEventsOfEachTypeAreRead(t *testing.T) {
	base := ledger.Event{Campaign: "spring-sale", Tag: uuid.MustParse(tag), Seq: 42, Claim: uuid.MustParse(claim), MessageID: "0100-m1-000000", Accepted: accepted}
	at := time.Date(2026, 11, 23, 9, 0, 1, 456e6, time.UTC)
	with := func(change func(*ledger.Event)) ledger.Event {
		e := base
		change(&e)
		return e
	}
	tested := map[string]bool{}
	confirming := []string{"Send", "Reject", "Rendering Failure"}
	for _, test := range []struct {
		eventType, rest string
		want            ledger.Event
	}{
		{"Send", `"send":{}`, base},
		{"Send", ``, base},
		{"DeliveryDelay", `"deliveryDelay":{"delayType":"MailboxFull","timestamp":"2026-11-23T09:00:01.456Z"}`, base},
		{"Subscription", `"subscription":{"contactList":"x"}`, base},
		{"Delivery", delivery, with(func(e *ledger.Event) { e.Delivered = at })},
		{"Delivery", `"delivery":{"timestamp":"2026-11-23T18:00:01.456+09:00"}`, with(func(e *ledger.Event) { e.Delivered = at })},
		{"Open", `"open":{"timestamp":"2026-11-23T09:00:01.456Z","ipAddress":"192.0.2.1"}`, with(func(e *ledger.Event) { e.Opened = at })},
		{"Click", `"click":{"timestamp":"2026-11-23T09:00:01.456Z","linkTags":{"a":["b"]}}`, with(func(e *ledger.Event) { e.Clicked = at })},
		{"Bounce", `"bounce":{"bounceType":"Permanent","bounceSubType":"General","timestamp":"2026-11-23T09:00:01.456Z"}`,
			with(func(e *ledger.Event) { e.Bounced, e.Bounce = at, "Permanent/General" })},
		{"Bounce", `"bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","timestamp":"2026-11-23T09:00:01.456Z"}`,
			with(func(e *ledger.Event) { e.Bounced, e.Bounce = at, "Transient/MailboxFull" })},
		{"Complaint", `"complaint":{"complaintFeedbackType":"abuse","timestamp":"2026-11-23T09:00:01.456Z"}`, with(func(e *ledger.Event) { e.Complained = at })},
		{"Complaint", `"complaint":{"timestamp":"2026-11-23T09:00:01.456Z"}`, with(func(e *ledger.Event) { e.Complained = at })},
		{"Complaint", `"complaint":{"complaintFeedbackType":"not-spam","timestamp":"2026-11-23T09:00:01.456Z"}`, base},
		{"Reject", `"reject":{"reason":"Bad content"}`, with(func(e *ledger.Event) { e.Rejected = "Bad content" })},
		{"Reject", ``, with(func(e *ledger.Event) { e.Rejected = "no reason given" })},
		{"Rendering Failure", `"failure":{"errorMessage":"Attribute \u0000'name' is missing","templateName":"x"}`, with(func(e *ledger.Event) { e.Rejected = "Attribute 'name' is missing" })},
		{"Rendering Failure", `"failure":{"errorMessage":" \u0000 "}`, with(func(e *ledger.Event) { e.Rejected = "it could not render the message" })},
	} {
		tested[test.eventType] = true
		test.want.Confirms = slices.Contains(confirming, test.eventType)
		body := event(test.eventType, ours, test.rest)
		for _, text := range []string{body, notification(body), "\n " + body + "\n"} {
			got, err := sesevent.Parse(text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if diff := cmp.Diff(sesevent.Parsed{Event: &test.want}, got); diff != "" {
				t.Errorf("%s:\n%s", text, diff)
			}
		}
	}
	for _, eventType := range sesevent.Types() {
		if !tested[eventType] {
			t.Errorf("%s is not tested", eventType)
		}
	}
}

func TestAProbeIsAWitnessOnly(t *testing.T) {
	probe := `"fanmail-campaign":["spring-sale"],"fanmail-id":["` + tag + `"],"fanmail-probe":["1"]`
	witness := sesevent.Parsed{Witness: &ledger.Witness{Campaign: "spring-sale", Tag: uuid.MustParse(tag), Accepted: accepted}}
	for body, want := range map[string]sesevent.Parsed{
		event("Send", probe, ""):               witness,
		notification(event("Send", probe, "")): witness,
		event("Delivery", probe, delivery):     {Skipped: sesevent.Probe},
	} {
		got, err := sesevent.Parse(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
}

func TestAProofIsOfNoCampaign(t *testing.T) {
	proof := `"fanmail-proof":["` + claim + `"]`
	for body, want := range map[string]sesevent.Parsed{
		event("Send", proof, ""):               {Proof: &ledger.Proof{ID: uuid.MustParse(claim), Accepted: accepted}},
		notification(event("Send", proof, "")): {Proof: &ledger.Proof{ID: uuid.MustParse(claim), Accepted: accepted}},
		event("Delivery", proof, delivery):     {Skipped: sesevent.Probe},
	} {
		got, err := sesevent.Parse(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	if _, err := sesevent.Parse(event("Send", `"fanmail-proof":["1"]`, "")); err == nil {
		t.Error("an id that is no UUID is read")
	}
}

func TestWhatIsNoneOfOurConcernIsSkipped(t *testing.T) {
	const validation = "Successfully validated SNS topic for Amazon SES event publishing."
	identity := `{"notificationType":"Bounce","bounce":{},"mail":{"timestamp":"2026-11-23T09:00:00Z"}}`
	for body, want := range map[string]sesevent.Reason{
		event("Send", `"ses:configuration-set":["x"]`, ""): sesevent.Foreign,
		event("Send", "", ""):                              sesevent.Foreign,
		event("Novelty", `"theirs":["x"]`, ""):             sesevent.Foreign,
		`{"eventType":"Send","mail":{}}`:                   sesevent.Foreign,
		event("Novelty", ours, ""):                         sesevent.UnknownType,
		notification(event("Novelty", ours, "")):           sesevent.UnknownType,
		identity:                                           sesevent.Identity,
		notification(identity):                             sesevent.Identity,
		`{"notificationType":"AmazonSnsSubscriptionSucceeded","message":""}`: sesevent.Identity,
		validation:               sesevent.Validation,
		validation + "\n":        sesevent.Validation,
		notification(validation): sesevent.Validation,
		`{"Type":"SubscriptionConfirmation","Message":"You have chosen"}`: sesevent.Subscription,
		`{"Type":"UnsubscribeConfirmation","Message":"You have chosen"}`:  sesevent.Subscription,
	} {
		got, err := sesevent.Parse(body)
		if diff := cmp.Diff(sesevent.Parsed{Skipped: want}, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
	}
}

func TestAMalformedBodyIsAnErrorInOneLine(t *testing.T) {
	tags := func(old, new string) string {
		if !strings.Contains(ours, old) {
			t.Fatalf("the tags have no %s", old)
		}
		return event("Send", strings.Replace(ours, old, new, 1), "")
	}
	mail := func(old, new string) string {
		return strings.Replace(event("Send", ours, ""), old, new, 1)
	}
	bounce := func(kind, sub string) string {
		return event("Bounce", ours, fmt.Sprintf(`"bounce":{"bounceType":"%s","bounceSubType":"%s","timestamp":"2026-11-23T09:00:01Z"}`, kind, sub))
	}
	for body, want := range map[string]string{
		"":                                      "not an SES event in JSON",
		"hello":                                 "not an SES event in JSON",
		"[]":                                    "not an SES event in JSON",
		"{}":                                    "an event without mail",
		"null":                                  "an event without mail",
		`{"eventType":"Send"}`:                  "an event without mail",
		`{"eventType":"Send","mail":[]}`:        "not an SES event in JSON",
		event("Send", ours, "") + "x":           "not an SES event in JSON",
		event("Send", ours, "")[:100]:           "not an SES event in JSON",
		"\xff\xfe":                              "not UTF-8",
		event("Send", ours, `"x":"`+"\xff"+`"`): "not UTF-8",
		event("Send", ours, "\x00"):             "not an SES event in JSON",
		`{"Type":"Notification"}`:               "an SNS notification without a Message",
		`{"Type":"Something"}`:                  `an SNS message of the unknown Type "Something"`,
		notification("hello"):                   "the Message of an SNS notification: not an SES event in JSON",
		notification(notification("hello")):     `an SNS "Notification" within an SNS notification`,

		tags(`"fanmail-campaign":["spring-sale"],`, ""):    "the tag fanmail-campaign is missing",
		tags(`["spring-sale"]`, "[]"):                      "the tag fanmail-campaign is missing",
		tags(`["spring-sale"]`, `["a","b"]`):               "the tag fanmail-campaign has 2 values",
		tags("spring-sale", `spring\u0000sale`):            `the tag fanmail-campaign: "spring\x00sale" is no name of a campaign`,
		tags("spring-sale", strings.Repeat("a", 1000)):     "is no name of a campaign",
		tags(`"fanmail-id":["`+tag+`"],`, ""):              "the tag fanmail-id is missing",
		tags(tag, "7b2f6a4e"):                              `the tag fanmail-id: "7b2f6a4e" is no UUID`,
		tags(tag, "{"+tag+"}"):                             "is no UUID",
		tags(`"fanmail-seq":["42"],`, ""):                  "the tag fanmail-seq is missing",
		tags(`"42"`, `"0"`):                                `the tag fanmail-seq: "0" is no number of a recipient`,
		tags(`"42"`, `"-1"`):                               "is no number of a recipient",
		tags(`"42"`, `"9223372036854775808"`):              "is no number of a recipient",
		tags(`"42"`, `"1e3"`):                              "is no number of a recipient",
		tags(`["42"]`, `42`):                               "not an SES event in JSON",
		tags(claim, "c0a80121-7ac0-4b1c-9d2e-5f6a7b8c9d0"): "the tag fanmail-claim",

		mail("2026-11-23T09:00:00.123Z", "yesterday"):                      `mail.timestamp "yesterday" is no time`,
		mail("2026-11-23T09:00:00.123Z", ""):                               `mail.timestamp "" is no time`,
		mail("2026-11-23T09:00:00.123Z", "0000-01-01T00:00:00Z"):           "is absurd",
		mail("2026-11-23T09:00:00.123Z", "9999-12-31T23:59:59Z"):           "is absurd",
		mail("0100-m1-000000", ""):                                         "is no message id of SES",
		mail("0100-m1-000000", `0100\u0000`):                               "is no message id of SES",
		mail("0100-m1-000000", strings.Repeat("m", 300)):                   "is no message id of SES",
		event("Delivery", ours, ""):                                        "an event without delivery",
		event("Delivery", ours, `"delivery":{}`):                           `delivery.timestamp "" is no time`,
		event("Open", ours, `"open":{"timestamp":"1970-01-01T00:00:00Z"}`): "open.timestamp \"1970-01-01T00:00:00Z\" is absurd",
		event("Bounce", ours, ""):                                          "an event without bounce",
		event("Complaint", ours, ""):                                       "an event without complaint",
		event("Complaint", ours, `"complaint":{}`):                         "complaint.timestamp",
		bounce("", "General"):                                              "is no bounceType and bounceSubType",
		bounce("Permanent", ""):                                            "is no bounceType and bounceSubType",
		bounce("Permanent", `a\u0001b`):                                    "is no bounceType and bounceSubType",
		bounce("Transient/Permanent", "General"):                           "is no bounceType and bounceSubType",
	} {
		got, err := sesevent.Parse(body)
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 300 {
			t.Errorf("%.200q: got %v, want one line with %q", body, err, want)
		}
		if got != (sesevent.Parsed{}) {
			t.Errorf("%.200q: an error and %+v", body, got)
		}
	}
}

// FuzzParse: whatever comes, the answer is one of the four, and what is given to the ledger can be stored.
func FuzzParse(f *testing.F) {
	for _, eventType := range sesevent.Types() {
		f.Add(event(eventType, ours, delivery))
	}
	f.Add(event("Bounce", ours, `"bounce":{"bounceType":"Permanent","bounceSubType":"General","timestamp":"2026-11-23T09:00:01Z"}`))
	f.Add(notification(event("Reject", ours, `"reject":{"reason":"\u0000\ud800"}`)))
	f.Add(`{"Type":"SubscriptionConfirmation"}`)
	f.Add(event("Send", `"fanmail-campaign":["spring-sale"],"fanmail-id":["`+tag+`"],"fanmail-probe":["1"]`, ""))
	f.Fuzz(func(t *testing.T, body string) {
		got, err := sesevent.Parse(body)
		answers := 0
		for _, given := range []bool{err != nil, got.Event != nil, got.Witness != nil, got.Skipped != ""} {
			if given {
				answers++
			}
		}
		if answers != 1 {
			t.Fatalf("%d answers: %+v, %v", answers, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of several lines: %q", err)
		}
		if got.Event == nil {
			return
		}
		text, err := json.Marshal(got.Event)
		if err != nil || strings.Contains(string(text), `\u0000`) && !strings.Contains(got.Event.Rejected, `\u0000`) {
			t.Errorf("%s, %v", text, err)
		}
		times := []time.Time{got.Event.Accepted, got.Event.Delivered, got.Event.Bounced, got.Event.Complained, got.Event.Opened, got.Event.Clicked}
		if got.Event.Seq < 1 || slices.ContainsFunc(times, func(t time.Time) bool { return !t.IsZero() && (t.Year() < 2000 || t.Year() > 3000) }) {
			t.Errorf("%s", text)
		}
	})
}
