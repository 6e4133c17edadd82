// Package sesevent reads what Amazon SES says of messages, as it arrives in SQS by way of SNS.
// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
package sesevent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"fanmail/shared/ledger"
)

// Parsed is what the body of one SQS message holds. Exactly one of its fields is set.
type Parsed struct {
	// Event is of a message to a recipient.
	Event *ledger.Event
	// Witness is of a message that was sent only to see whether events arrive.
	Witness *ledger.Witness
	// Proof is of a message of `fanmail doctor`.
	Proof *ledger.Proof
	// Skipped is why the body is none of our concern.
	Skipped Reason
}

// Reason is why a body is skipped.
type Reason string

const (
	// Foreign: the message has no tag of Fanmail's.
	Foreign Reason = "not of Fanmail"
	// Probe: something that became of a probe; that it was sent has been told before.
	Probe Reason = "what became of a probe"
	// UnknownType: SES has events that this program does not know.
	UnknownType Reason = "unknown eventType"
	// Identity: a notification about an identity (notificationType), which has no tags.
	Identity Reason = "identity notification"
	// Validation: SES tells that it may publish to the topic.
	Validation Reason = "validation of the SNS topic"
	// Subscription: SNS asks for, or tells of, a subscription.
	Subscription Reason = "SNS subscription message"
)

// validation is what SES publishes once, as plain text, when a topic becomes the destination of events.
const validation = "Successfully validated SNS topic for Amazon SES event publishing."

// envelope is a body before it is known what it is: an SES event or, without RawMessageDelivery, SNS's message about one.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type envelope struct {
	event
	Type             string  `json:"Type"`
	Message          *string `json:"Message"`
	NotificationType string  `json:"notificationType"`
}

// Parse reads the body of one SQS message: an SES event, or an SNS notification about one. An error means that it is
// malformed: that it may be of our concern, but can't be read.
func Parse(body string) (Parsed, error) {
	e, skipped, err := open(body)
	if err != nil || skipped != "" {
		return Parsed{Skipped: skipped}, err
	}
	switch e.Type {
	case "":
	case "Notification":
		if e.Message == nil {
			return Parsed{}, errors.New("an SNS notification without a Message")
		}
		if e, skipped, err = open(*e.Message); err != nil || skipped != "" {
			return Parsed{Skipped: skipped}, inside(err)
		}
		if e.Type != "" {
			return Parsed{}, fmt.Errorf("an SNS %s within an SNS notification", short(e.Type))
		}
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		return Parsed{Skipped: Subscription}, nil
	default:
		return Parsed{}, fmt.Errorf("an SNS message of the unknown Type %s", short(e.Type))
	}
	if e.EventType == "" && e.NotificationType != "" {
		return Parsed{Skipped: Identity}, nil
	}
	return e.parse()
}

func open(text string) (e envelope, skipped Reason, err error) {
	text = strings.TrimSpace(text)
	if text == validation {
		return e, Validation, nil
	}
	if !utf8.ValidString(text) {
		return e, "", errors.New("not UTF-8")
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, "", fmt.Errorf("not an SES event in JSON: %w", err)
	}
	return e, "", nil
}

func inside(err error) error {
	if err != nil {
		return fmt.Errorf("the Message of an SNS notification: %w", err)
	}
	return nil
}

// short quotes a text from outside for an error.
func short(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
