package campaign

import "fanmail/shared/template"

// File is the name of the file that makes a folder a campaign.
const File = "campaign.yaml"

// Campaign is campaign.yaml, checked. The keys of the file are the JSON names. No value has a line break, so that each can
// stand in a mail header.
type Campaign struct {
	// Name is the campaign's identity, [a-z0-9-], 1 to 64 characters. In the file it is optional, and equals the folder's; the folder
	// of a run of a recurring schedule has the time of the run behind the name.
	Name string `json:"name"`
	// From is one mailbox, ready for the header: a display name that is not ASCII is encoded (RFC 2047), a domain that is
	// not ASCII is in punycode. Required.
	From string `json:"from"`
	// ReplyTo are mailboxes like From. In the file one text or a list.
	ReplyTo []string `json:"replyTo,omitempty"`
	// Subject is a text template. Required.
	Subject string `json:"subject"`
	// HTML and Text are the files of the templates, relative to the folder. At least one is required; the text part is
	// made from the HTML when only that is there.
	HTML string `json:"html,omitempty"`
	Text string `json:"text,omitempty"`
	// Recipients is the CSV file, relative to the folder; recipients.csv by default.
	Recipients string `json:"recipients"`
	// Defaults stand in for template fields that a recipient has no value for.
	Defaults map[string]string `json:"defaults,omitempty"`
	// Rate is in recipients per second, shared by all senders; 0 is the account's own rate.
	Rate float64 `json:"rate,omitempty"`
	// DailyLimit is in recipients per 24 hours; 0 is none but the account's.
	DailyLimit int64 `json:"dailyLimit,omitempty"`
	// Window is when mail may go out; nil is always.
	Window *Window `json:"window,omitempty"`
	// Tags are put on every message, for SES events.
	Tags map[string]string `json:"tags,omitempty"`
	// Attachments are files, relative to the folder, that every message carries.
	Attachments []string `json:"attachments,omitempty"`
	// ConfigurationSet is the SES configuration set to send with; empty is the deployment's.
	ConfigurationSet string `json:"configurationSet,omitempty"`
	// InDoubt is what becomes of recipients of whom it is not known whether SES accepted their message; Prove by default.
	InDoubt DoubtRule `json:"inDoubt"`
}

// Files are the files that the campaign uses, relative to the folder, campaign.yaml last: a copy that breaks off in this order
// leaves no folder that looks complete and is not.
func (c Campaign) Files() []string {
	files := []string{c.Recipients}
	for _, name := range append([]string{c.HTML, c.Text}, c.Attachments...) {
		if name != "" {
			files = append(files, name)
		}
	}
	return append(files, File)
}

// DoubtRule is what becomes of a recipient in doubt when SES events have had their time to settle it.
type DoubtRule string

const (
	// Hold never mails it again: it is reported, and a person decides.
	Hold DoubtRule = "hold"
	// Prove mails it again if SES events prove that SES did not accept the message, and holds it otherwise.
	Prove DoubtRule = "prove"
	// Resend mails it again, whether or not it was mailed before.
	Resend DoubtRule = "resend"
)

var doubtRules = []DoubtRule{Hold, Prove, Resend}

// Window is a span of the day in which mail may go out. From after To spans midnight; the days are then those on which the
// span starts.
type Window struct {
	// From and To are times of day, HH:MM; From belongs to the window, To does not.
	From string `json:"from"`
	To   string `json:"to"`
	// Days are mon, tue, wed, thu, fri, sat, sun; none is all.
	Days []string `json:"days,omitempty"`
	// Zone is a name of the IANA time zone database; UTC by default.
	Zone string `json:"zone"`
}

// Attachment is a file that every message carries.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"contentType"`
	Data        []byte `json:"data"`
}

// Content is all of a campaign's folder but the recipients: the snapshot that the senders of an execution work from.
type Content struct {
	Campaign    Campaign         `json:"campaign"`
	Sources     template.Sources `json:"sources"`
	Attachments []Attachment     `json:"attachments,omitempty"`

	// subjectLine is where the subject stands in campaign.yaml; a snapshot does not keep it.
	subjectLine int
	// partial is set when campaign.yaml has problems, defaultsUnknown when its defaults are among them.
	partial, defaultsUnknown bool
}
