package sesevent

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
)

// event is an SES event, as far as the ledger needs it.
type event struct {
	EventType string     `json:"eventType"`
	Mail      *mail      `json:"mail"`
	Delivery  *moment    `json:"delivery"`
	Bounce    *bounce    `json:"bounce"`
	Complaint *complaint `json:"complaint"`
	Reject    *reject    `json:"reject"`
	Open      *moment    `json:"open"`
	Click     *moment    `json:"click"`
	Failure   *failure   `json:"failure"`
}

// mail is the part that all events of a message have.
type mail struct {
	// Timestamp is when SES accepted the message.
	Timestamp string `json:"timestamp"`
	MessageID string `json:"messageId"`
	Tags      tags   `json:"tags"`
}

// moment is when something happened, in ISO 8601.
type moment struct {
	Timestamp string `json:"timestamp"`
}

type bounce struct {
	moment
	BounceType    string `json:"bounceType"`
	BounceSubType string `json:"bounceSubType"`
}

type complaint struct {
	moment
	ComplaintFeedbackType string `json:"complaintFeedbackType"`
}

type reject struct {
	Reason string `json:"reason"`
}

// failure is why SES could not render a template.
type failure struct {
	ErrorMessage string `json:"errorMessage"`
}

// notSpam is the feedback of somebody who says that the message is no spam after all.
const notSpam = "not-spam"

// parse is the event of a message of ours.
func (e event) parse() (Parsed, error) {
	if e.Mail == nil {
		return Parsed{}, errors.New("an event without mail")
	}
	if !e.Mail.Tags.ours() {
		return Parsed{Skipped: Foreign}, nil
	}
	tell, known := tellers[e.EventType]
	if !known {
		return Parsed{Skipped: UnknownType}, nil
	}
	accepted, err := instant("mail", e.Mail.Timestamp)
	if err != nil {
		return Parsed{}, err
	}
	confirms := slices.Contains(confirming, e.EventType)
	if e.Mail.Tags.proof() {
		id, err := e.Mail.Tags.uuid(mailer.TagProof)
		switch {
		case err != nil:
			return Parsed{}, err
		case !confirms:
			return Parsed{Skipped: Probe}, nil
		}
		return Parsed{Proof: &ledger.Proof{ID: id, Accepted: accepted}}, nil
	}
	name, id, err := e.Mail.Tags.campaign()
	if err != nil {
		return Parsed{}, err
	}
	if e.Mail.Tags.probe() {
		if !confirms {
			return Parsed{Skipped: Probe}, nil
		}
		return Parsed{Witness: &ledger.Witness{Campaign: name, Tag: id, Accepted: accepted}}, nil
	}
	out := ledger.Event{Campaign: name, Tag: id, Accepted: accepted, MessageID: e.Mail.MessageID, Confirms: confirms}
	if out.Seq, err = e.Mail.Tags.seq(); err != nil {
		return Parsed{}, err
	}
	if out.Claim, err = e.Mail.Tags.uuid(mailer.TagClaim); err != nil {
		return Parsed{}, err
	}
	if err := checkID(out.MessageID); err != nil {
		return Parsed{}, err
	}
	if err := tell(e, &out); err != nil {
		return Parsed{}, err
	}
	return Parsed{Event: &out}, nil
}

// confirming are the types of which SES publishes one for every message that it accepts, at once. The others follow when
// they please.
var confirming = []string{"Send", "Reject", "Rendering Failure"}

// tellers say for each eventType what it tells beside that SES accepted the message.
var tellers = map[string]func(event, *ledger.Event) error{
	"Send":          nothing,
	"DeliveryDelay": nothing,
	"Subscription":  nothing,
	"Delivery":      func(e event, out *ledger.Event) error { return e.Delivery.into("delivery", &out.Delivered) },
	"Open":          func(e event, out *ledger.Event) error { return e.Open.into("open", &out.Opened) },
	"Click":         func(e event, out *ledger.Event) error { return e.Click.into("click", &out.Clicked) },
	"Bounce":        event.tellBounce,
	"Complaint":     event.tellComplaint,
	"Reject": func(e event, out *ledger.Event) error {
		var reason string
		if e.Reject != nil {
			reason = e.Reject.Reason
		}
		out.Rejected = because("no reason given", reason)
		return nil
	},
	"Rendering Failure": func(e event, out *ledger.Event) error {
		var reason string
		if e.Failure != nil {
			reason = e.Failure.ErrorMessage
		}
		out.Rejected = because("it could not render the message", reason)
		return nil
	},
}

func nothing(event, *ledger.Event) error { return nil }

func (e event) tellBounce(out *ledger.Event) error {
	if e.Bounce == nil {
		return errors.New("an event without bounce")
	}
	out.Bounce = e.Bounce.BounceType + "/" + e.Bounce.BounceSubType
	for _, word := range []string{e.Bounce.BounceType, e.Bounce.BounceSubType} {
		if word == "" || len(word) > maxWord || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) {
			return fmt.Errorf("the bounce %s is no bounceType and bounceSubType of SES", short(out.Bounce))
		}
	}
	return e.Bounce.into("bounce", &out.Bounced)
}

func (e event) tellComplaint(out *ledger.Event) error {
	if e.Complaint == nil {
		return errors.New("an event without complaint")
	}
	if e.Complaint.ComplaintFeedbackType == notSpam {
		return nil
	}
	return e.Complaint.into("complaint", &out.Complained)
}

// because is SES's reason, which may quote anything.
func because(otherwise, reason string) string {
	return cmp.Or(strings.TrimSpace(strings.ReplaceAll(reason, "\x00", "")), otherwise)
}

// into reads the time of the part of an event that is called name.
func (m *moment) into(name string, t *time.Time) (err error) {
	if m == nil {
		return fmt.Errorf("an event without %s", name)
	}
	*t, err = instant(name, m.Timestamp)
	return err
}

// Before firstYear there was no SES; from lastYear on a time is no time, but an error that PostgreSQL might refuse.
const firstYear, lastYear = 2011, 3000

// instant reads the time of the part of an event that is called name.
func instant(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fmt.Errorf("%s.timestamp %s is no time", name, short(text))
	}
	if t = t.UTC(); t.Year() < firstYear || t.Year() >= lastYear {
		return t, fmt.Errorf("%s.timestamp %s is absurd", name, short(text))
	}
	return t, nil
}

// Ids and words of SES are far shorter.
const maxID, maxWord = 200, 100

func checkID(id string) error {
	if id == "" || len(id) > maxID || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("mail.messageId %s is no message id of SES", short(id))
	}
	return nil
}

// Types are the eventTypes that Parse knows, sorted.
func Types() []string { return slices.Sorted(maps.Keys(tellers)) }
