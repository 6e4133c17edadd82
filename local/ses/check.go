package ses

import (
	"bytes"
	"net/mail"
	"slices"
	"strings"
)

const (
	// maxRecipients is the limit on To, Cc and Bcc together.
	maxRecipients = 50
	// maxMessage is the limit on a message in bytes.
	maxMessage = 40 << 20
	// maxHeaders is the limit on additional headers of a Simple message.
	maxHeaders = 15
)

// check holds a request against the rules that do not depend on the state of the account.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
func (s *Service) check(r *Request) *Error {
	if e := checkContent(r); e != nil {
		return e
	}
	recipients := r.recipients()
	switch {
	case len(recipients) == 0:
		return badRequest("Destination must have at least one address in ToAddresses, CcAddresses or BccAddresses.")
	case len(recipients) > maxRecipients:
		return badRequest("Recipient count exceeds %d.", maxRecipients)
	case r.FromEmailAddress == "":
		return badRequest("Missing required field FromEmailAddress.")
	}
	for _, list := range [][]string{{r.FromEmailAddress}, recipients, r.ReplyToAddresses} {
		for _, address := range list {
			if e := checkAddress(address); e != nil {
				return e
			}
		}
	}
	if e := checkTags(r.EmailTags); e != nil {
		return e
	}
	settings := s.Settings()
	if e := s.checkIdentity(settings, r.FromEmailAddress); e != nil {
		return e
	}
	if settings.ProductionAccessEnabled {
		return nil
	}
	// In its sandbox SES mails verified addresses and the simulator only.
	return s.checkIdentity(settings, slices.DeleteFunc(recipients, func(address string) bool { return scenario(address) != "" })...)
}

func checkContent(r *Request) *Error {
	content := r.Content
	if content == nil || content.Simple == nil && content.Raw == nil && content.Template == nil {
		return badRequest("Content must have one of Simple, Raw and Template.")
	}
	n := 0
	for _, present := range []bool{content.Simple != nil, content.Raw != nil, content.Template != nil} {
		if present {
			n++
		}
	}
	switch {
	case n > 1:
		return badRequest("Content must have only one of Simple, Raw and Template.")
	case content.Template != nil && content.Template.TemplateName != "":
		return notFound("Template %s does not exist", content.Template.TemplateName)
	case content.Template != nil:
		return badRequest("The local SES does not render templates: send Simple or Raw content.")
	case content.Raw != nil:
		return checkRaw(r)
	}
	return checkSimple(content.Simple)
}

func checkSimple(m *Simple) *Error {
	switch {
	case m.Subject == nil || m.Subject.Data == nil:
		return badRequest("Missing required field Subject.")
	case strings.ContainsAny(*m.Subject.Data, "\r\n\x00"):
		return badRequest("Subject contains a control character.")
	case m.Body == nil || m.Body.Html == nil && m.Body.Text == nil:
		return badRequest("Missing required field Body: it must have Html or Text.")
	case m.Body.Html != nil && m.Body.Html.Data == nil, m.Body.Text != nil && m.Body.Text.Data == nil:
		return badRequest("Missing required field Data of the body.")
	case len(m.Headers) > maxHeaders:
		return badRequest("A message can't have more than %d headers.", maxHeaders)
	}
	seen := make(map[string]bool, len(m.Headers))
	for _, h := range m.Headers {
		if e := checkHeader(h); e != nil {
			return e
		}
		name := strings.ToLower(h.Name)
		if seen[name] {
			return badRequest("Duplicate header name %s.", h.Name)
		}
		seen[name] = true
	}
	size := len(m.Subject.value()) + len(m.Body.Html.value()) + len(m.Body.Text.value())
	for _, a := range m.Attachments {
		switch {
		case a.FileName == "" || len(a.FileName) > 255:
			return badRequest("The FileName of an attachment must have 1 to 255 characters.")
		case strings.ContainsAny(a.FileName+a.ContentType+a.ContentDescription+a.ContentId, "\r\n\x00"):
			return badRequest("Attachment %q contains a control character.", a.FileName)
		case a.RawContent == nil:
			return badRequest("Attachment %q has no RawContent.", a.FileName)
		}
		size += (len(a.RawContent) + 2) / 3 * 4
	}
	if size > maxMessage {
		return rejected("Message length is more than %d bytes long: '%d'.", maxMessage, size)
	}
	return nil
}

// checkRaw parses a MIME message and takes sender and recipients from its headers where the request has none.
func checkRaw(r *Request) *Error {
	data := r.Content.Raw.Data
	if len(data) > maxMessage {
		return rejected("Message length is more than %d bytes long: '%d'.", maxMessage, len(data))
	}
	message, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return badRequest("The raw message can't be parsed: %v.", err)
	}
	if r.FromEmailAddress == "" {
		r.FromEmailAddress = message.Header.Get("From")
	}
	if len(r.recipients()) > 0 {
		return nil
	}
	for name, list := range map[string]*[]string{"To": &r.Destination.ToAddresses, "Cc": &r.Destination.CcAddresses, "Bcc": &r.Destination.BccAddresses} {
		if message.Header.Get(name) == "" {
			continue
		}
		addresses, err := message.Header.AddressList(name)
		if err != nil {
			return badRequest("The header %s of the raw message can't be parsed: %v.", name, err)
		}
		for _, address := range addresses {
			*list = append(*list, address.Address)
		}
	}
	return nil
}
