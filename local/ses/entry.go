package ses

import (
	"strings"
	"time"
)

// Entry is one line of the mailbox: an accepted message without its body, and with all that its events tell.
type Entry struct {
	MessageID string `json:"messageId"`
	// Time is when the message was accepted.
	Time             time.Time         `json:"time"`
	From             string            `json:"from"`
	To               []string          `json:"to"`
	Cc               []string          `json:"cc,omitempty"`
	Bcc              []string          `json:"bcc,omitempty"`
	ReplyTo          []string          `json:"replyTo,omitempty"`
	Subject          string            `json:"subject"`
	Headers          []MessageHeader   `json:"headers,omitempty"`
	Tags             map[string]string `json:"tags"`
	ConfigurationSet string            `json:"configurationSet,omitempty"`
	// Caller is the access key id that signed the call, "" if none did.
	Caller   string `json:"caller,omitempty"`
	SourceIP string `json:"sourceIp,omitempty"`
}

// MessageHeader is an additional header.
type MessageHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func newEntry(r *Request) *Entry {
	e := &Entry{
		From:             r.FromEmailAddress,
		To:               r.Destination.ToAddresses,
		Cc:               r.Destination.CcAddresses,
		Bcc:              r.Destination.BccAddresses,
		ReplyTo:          r.ReplyToAddresses,
		Tags:             make(map[string]string, len(r.EmailTags)),
		ConfigurationSet: r.ConfigurationSetName,
		Caller:           r.Caller,
		SourceIP:         r.SourceIP,
	}
	if e.To == nil {
		e.To = []string{}
	}
	if simple := r.Content.Simple; simple != nil {
		e.Subject = simple.Subject.value()
		for _, h := range simple.Headers {
			e.Headers = append(e.Headers, MessageHeader(h))
		}
	} else {
		e.Subject = rawSubject(r.Content.Raw)
	}
	for _, tag := range r.EmailTags {
		e.Tags[tag.Name] = tag.Value
	}
	return e
}

// recipients is the number of recipients.
func (e *Entry) recipients() int { return len(e.To) + len(e.Cc) + len(e.Bcc) }

// addresses are those of all recipients, without display names, in the order To, Cc, Bcc.
func (e *Entry) addresses() []string {
	all := make([]string, 0, e.recipients())
	for _, list := range [][]string{e.To, e.Cc, e.Bcc} {
		for _, address := range list {
			bare, _ := bareAddress(address) // it was checked at acceptance
			all = append(all, bare)
		}
	}
	return all
}

// quotaRecipients is the number of recipients that count for the daily quota: the mailbox simulator's do not.
// https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
func (e *Entry) quotaRecipients() int {
	n := e.recipients()
	for _, address := range e.addresses() {
		if strings.HasSuffix(strings.ToLower(address), simulator) {
			n--
		}
	}
	return n
}
