package ses

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Published is one event on its way to the target of the configuration set: SNS's raw message, in AWS's terms.
type Published struct {
	// Body is the event's JSON, in the form that SES gives to SNS.
	// https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
	Body []byte
	// Delay is how much later than now the target is to have it.
	Delay time.Duration
}

// EventInfo is what Config.EventFault decides by.
type EventInfo struct {
	MessageID string
	// EventType is as in the event: Send, Delivery, Bounce, Complaint, Open, Click...
	EventType string
	// Tags are the EmailTags of the call.
	Tags map[string]string
	// Recipient is the first address that the event is about.
	Recipient string
}

// event is one event of one message. Exactly one of the pointers is set, which EventType names.
type event struct {
	EventType     string         `json:"eventType"`
	Mail          *eventMail     `json:"mail"`
	Send          *struct{}      `json:"send,omitempty"`
	Delivery      *delivery      `json:"delivery,omitempty"`
	Bounce        *bounce        `json:"bounce,omitempty"`
	Complaint     *complaint     `json:"complaint,omitempty"`
	Reject        *reject        `json:"reject,omitempty"`
	Open          *open          `json:"open,omitempty"`
	Click         *click         `json:"click,omitempty"`
	Failure       *failure       `json:"failure,omitempty"`
	DeliveryDelay *deliveryDelay `json:"deliveryDelay,omitempty"`

	recipient string
	delay     time.Duration
}

type delivery struct {
	Timestamp            string   `json:"timestamp"`
	ProcessingTimeMillis int64    `json:"processingTimeMillis"`
	Recipients           []string `json:"recipients"`
	SMTPResponse         string   `json:"smtpResponse"`
	RemoteMtaIP          string   `json:"remoteMtaIp"`
	ReportingMTA         string   `json:"reportingMTA"`
}

type bounce struct {
	BounceType        string      `json:"bounceType"`
	BounceSubType     string      `json:"bounceSubType"`
	BouncedRecipients []recipient `json:"bouncedRecipients"`
	Timestamp         string      `json:"timestamp"`
	FeedbackID        string      `json:"feedbackId"`
	ReportingMTA      string      `json:"reportingMTA,omitempty"`
}

// recipient is an address in a list of an event, with what its mail server said of it, if it did.
type recipient struct {
	EmailAddress   string `json:"emailAddress"`
	Action         string `json:"action,omitempty"`
	Status         string `json:"status,omitempty"`
	DiagnosticCode string `json:"diagnosticCode,omitempty"`
}

type complaint struct {
	ComplainedRecipients  []recipient `json:"complainedRecipients"`
	Timestamp             string      `json:"timestamp"`
	FeedbackID            string      `json:"feedbackId"`
	ComplaintSubType      *string     `json:"complaintSubType"`
	UserAgent             string      `json:"userAgent"`
	ComplaintFeedbackType string      `json:"complaintFeedbackType"`
	ArrivalDate           string      `json:"arrivalDate"`
}

type reject struct {
	Reason string `json:"reason"`
}

type open struct {
	IPAddress string `json:"ipAddress"`
	Timestamp string `json:"timestamp"`
	UserAgent string `json:"userAgent"`
}

type click struct {
	IPAddress string              `json:"ipAddress"`
	Link      string              `json:"link"`
	LinkTags  map[string][]string `json:"linkTags"`
	Timestamp string              `json:"timestamp"`
	UserAgent string              `json:"userAgent"`
}

type failure struct {
	ErrorMessage string `json:"errorMessage"`
	TemplateName string `json:"templateName"`
}

type deliveryDelay struct {
	Timestamp         string      `json:"timestamp"`
	DelayType         string      `json:"delayType"`
	ExpirationTime    string      `json:"expirationTime"`
	DelayedRecipients []recipient `json:"delayedRecipients"`
}

// newEvent makes an event about some recipients of a message, or nil if SES has no events of this type.
func newEvent(mail *eventMail, eventType string, addresses []string, at time.Time) *event {
	e := &event{EventType: eventType, Mail: mail, recipient: addresses[0]}
	when := timestamp(at)
	failed := func(action, status, diagnosis string) (list []recipient) {
		for _, address := range addresses {
			list = append(list, recipient{EmailAddress: address, Action: action, Status: status, DiagnosticCode: diagnosis})
		}
		return list
	}
	switch eventType {
	case "Send":
		e.Send = &struct{}{}
	case "Delivery":
		e.Delivery = &delivery{Timestamp: when, Recipients: addresses, SMTPResponse: "250 2.6.0 Message received", RemoteMtaIP: "127.0.0.1", ReportingMTA: "localhost"}
	case "Bounce":
		e.Bounce = &bounce{
			BounceType: "Permanent", BounceSubType: "General", BouncedRecipients: failed("failed", "5.1.1", "smtp; 550 5.1.1 user unknown"),
			Timestamp: when, FeedbackID: feedbackID(e, at), ReportingMTA: "dsn; localhost",
		}
	case "Complaint":
		e.Complaint = &complaint{
			ComplainedRecipients: failed("", "", ""), Timestamp: when, FeedbackID: feedbackID(e, at),
			UserAgent: "Amazon SES Mailbox Simulator", ComplaintFeedbackType: "abuse", ArrivalDate: when,
		}
	case "Reject":
		e.Reject = &reject{Reason: "Bad content"}
	case "Open":
		e.Open = &open{IPAddress: "127.0.0.1", Timestamp: when, UserAgent: userAgent}
	case "Click":
		e.Click = &click{IPAddress: "127.0.0.1", Link: "https://example.com/", Timestamp: when, UserAgent: userAgent}
	case "Rendering Failure":
		e.Failure = &failure{ErrorMessage: "Attribute 'name' is not present in the rendering data."}
	case "DeliveryDelay":
		e.DeliveryDelay = &deliveryDelay{
			Timestamp: when, DelayType: "TransientCommunicationFailure", ExpirationTime: timestamp(at.Add(14 * time.Hour)),
			DelayedRecipients: failed("", "4.4.1", "smtp; 421 4.4.1 Unable to connect to remote host"),
		}
	default:
		return nil
	}
	return e
}

// eventTypes are those that newEvent makes.
var eventTypes = []string{"Send", "Delivery", "Bounce", "Complaint", "Reject", "Open", "Click", "Rendering Failure", "DeliveryDelay"}

const userAgent = "Mozilla/5.0 (local SES)"

// feedbackID is the same for the same event, however often it is published.
func feedbackID(e *event, at time.Time) string {
	name := e.Mail.MessageID + e.EventType + e.recipient
	return fmt.Sprintf("0100%012x-%s-000000", at.UnixMilli(), uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)))
}

// timestamp is a time as events write it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// copies appends the copies of e that are published to list.
func (s *Service) copies(list []Published, e *event, tags map[string]string) ([]Published, error) {
	if !s.publishes(e.Mail.Tags["ses:configuration-set"][0], e.EventType) {
		return list, nil
	}
	delays := []time.Duration{0}
	if s.config.EventFault != nil {
		delays = s.config.EventFault(EventInfo{MessageID: e.Mail.MessageID, EventType: e.EventType, Tags: tags, Recipient: e.recipient})
	}
	if len(delays) == 0 {
		return list, nil
	}
	body, err := json.Marshal(e)
	if err != nil {
		return list, fmt.Errorf("writing the %s event of message %s: %w", e.EventType, e.Mail.MessageID, err)
	}
	for _, delay := range delays {
		list = append(list, Published{Body: body, Delay: e.delay + delay})
	}
	return list, nil
}
