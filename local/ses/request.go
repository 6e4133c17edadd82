package ses

// Request is the body of a SendEmail call, as far as the local SES reads it.
type Request struct {
	FromEmailAddress     string
	Destination          Destination
	ReplyToAddresses     []string
	Content              *Content
	EmailTags            []Tag
	ConfigurationSetName string

	// Caller is the access key id that signed the call, and SourceIP the address it came from; neither is in the body.
	Caller   string `json:"-"`
	SourceIP string `json:"-"`
}

// Destination lists the recipients of a message: at most 50 in all.
type Destination struct {
	ToAddresses  []string
	CcAddresses  []string
	BccAddresses []string
}

// Content holds exactly one of its fields. A template is refused: the local SES renders none.
type Content struct {
	Simple   *Simple
	Raw      *Raw
	Template *Template
}

// Simple is a message that SES puts together from its parts.
type Simple struct {
	Subject     *Text
	Body        *Body
	Headers     []Header
	Attachments []Attachment
}

// Body has at least one of its parts.
type Body struct {
	Html *Text
	Text *Text
}

// Text is a string with the character set in which SES is to send it; without one, SES sends 7-bit ASCII.
type Text struct {
	Data    *string
	Charset string
}

// value is the text as the recipient sees it: what does not fit in ASCII is lost where no character set is given.
func (t *Text) value() string {
	switch {
	case t == nil || t.Data == nil:
		return ""
	case t.Charset != "":
		return *t.Data
	}
	return toASCII(*t.Data)
}

// Header is an additional header of a Simple message.
type Header struct {
	Name  string
	Value string
}

// Attachment is a file in a Simple message.
type Attachment struct {
	FileName                string
	RawContent              []byte
	ContentDescription      string
	ContentDisposition      string
	ContentId               string
	ContentTransferEncoding string
	ContentType             string
}

// Raw is a whole message in MIME format.
type Raw struct {
	Data []byte
}

// Template names a stored template.
type Template struct {
	TemplateName string
	TemplateArn  string
}

// Tag is an EmailTag: SES repeats it in the events of the message.
type Tag struct {
	Name  string
	Value string
}

// recipients are all addresses of the message, in the order To, Cc, Bcc.
func (r *Request) recipients() []string {
	to := r.Destination.ToAddresses
	all := make([]string, 0, len(to)+len(r.Destination.CcAddresses)+len(r.Destination.BccAddresses))
	all = append(all, to...)
	all = append(all, r.Destination.CcAddresses...)
	return append(all, r.Destination.BccAddresses...)
}

// toASCII replaces every character outside of ASCII by a question mark.
func toASCII(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r >= 0x80 {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return string(b)
}
