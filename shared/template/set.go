package template

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"maps"
	"slices"
	"strings"
	texttemplate "text/template"
)

// maxPart is the most bytes that one rendered part may have. Two of them and the 25 MB of attachments that a campaign may
// have stay below SES's 40 MB per message when base64 has made them a third larger.
const maxPart = 2_000_000

// maxSubject is the most bytes of a subject: more than any client shows, and short enough for a header even when every
// character has to be encoded.
const maxSubject = 1000

// Set holds the compiled templates of a campaign. It is safe for concurrent use.
type Set struct {
	subject  *texttemplate.Template
	html     *htmltemplate.Template // nil when the campaign has none
	text     *texttemplate.Template // nil when the text part is made from the HTML
	mark     string                 // stands in HTML for a conditional comment; never in a rendered part
	defaults map[string]string
	header   []string
	expected map[string]bool
}

// HeaderFields names, in order, the fields whose values reach a header of the message: those of the subject.
func (s *Set) HeaderFields() []string { return s.header }

// Expected names, in order, the fields that some part prints whatever they hold: it neither tests them nor gives them a
// default, so a recipient without a value gets a message with a hole.
func (s *Set) Expected() []string { return slices.Sorted(maps.Keys(s.expected)) }

// expect notes the fields that one part expects.
func (s *Set) expect(u uses, known []string) {
	if s.expected == nil {
		s.expected = map[string]bool{}
	}
	for _, name := range known {
		if u.fields[name] && !u.tested[name] && s.defaults[name] == "" {
			s.expected[name] = true
		}
	}
}

// Render makes the message for one recipient. Defaults stand in for fields that are missing or empty. The errors are the
// recipient's: a field is missing, a value does not fit where the template puts it, or a part is too large.
func (s *Set) Render(fields map[string]string) (Message, error) {
	data := s.fill(fields)
	subject, err := s.renderSubject(data)
	if err != nil {
		return Message{}, fmt.Errorf("rendering the subject: %w", shorten(err))
	}
	m := Message{Subject: subject}
	if s.html != nil {
		if m.HTML, err = s.renderHTML(data); err != nil {
			return Message{}, fmt.Errorf("rendering the HTML part: %w", shorten(err))
		}
	}
	if s.text != nil {
		m.Text, err = run(s.text, data)
	} else {
		m.Text, err = textOf(m.HTML)
	}
	if err != nil {
		return Message{}, fmt.Errorf("rendering the text part: %w", shorten(err))
	}
	return m, nil
}

func (s *Set) renderSubject(data map[string]string) (string, error) {
	subject, err := run(s.subject, data)
	switch subject = strings.TrimSpace(subject); {
	case err != nil:
		return "", err
	case !SingleLine(subject):
		return "", errors.New("it has a line break or control character, which a mail header can't have")
	case subject == "":
		return "", errors.New("it is empty for this recipient")
	case len(subject) > maxSubject:
		return "", fmt.Errorf("it is longer than %d bytes", maxSubject)
	}
	return subject, nil
}

func (s *Set) renderHTML(data map[string]string) (string, error) {
	html, err := run(s.html, data)
	switch {
	case err != nil:
		return "", err
	// html/template writes this in place of a value that it can't make safe, and goes on.
	case strings.Contains(html, "ZgotmplZ"):
		return "", errors.New("a value is not safe where the template puts it (a link may be http, https or mailto)")
	case s.mark != "" && strings.Contains(html, s.mark):
		return "", errors.New("a conditional comment stands in a template that is called inside a tag")
	}
	return html, nil
}

// fill copies fields only when a default is needed: most recipients have a value for everything.
func (s *Set) fill(fields map[string]string) map[string]string {
	var filled map[string]string
	for name, value := range s.defaults {
		if fields[name] != "" {
			continue
		}
		if filled == nil {
			filled = make(map[string]string, len(fields)+len(s.defaults))
			maps.Copy(filled, fields)
		}
		filled[name] = value
	}
	if filled == nil {
		return fields
	}
	return filled
}

type executor interface {
	Execute(w io.Writer, data any) error
}

func run(t executor, data map[string]string) (string, error) {
	var w part
	if err := t.Execute(&w, data); err != nil {
		return "", err
	}
	return w.String(), nil
}

// part is a buffer that refuses to grow beyond maxPart.
type part struct{ strings.Builder }

func (p *part) Write(b []byte) (int, error) {
	if p.Len()+len(b) > maxPart {
		return 0, fmt.Errorf("larger than %d MB", maxPart/1_000_000)
	}
	return p.Builder.Write(b)
}
