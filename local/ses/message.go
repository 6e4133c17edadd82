package ses

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/mail"
)

// Message is an accepted message with its content, as GET /_mailbox/<messageId> shows it.
type Message struct {
	Entry
	HTML        string              `json:"html,omitempty"`
	Text        string              `json:"text,omitempty"`
	Attachments []MessageAttachment `json:"attachments"`
	// Raw is the MIME message of a call that sent one; the fields above are then empty.
	Raw string `json:"raw,omitempty"`
}

// MessageAttachment is an attached file; Content is base64 in JSON.
type MessageAttachment struct {
	FileName    string `json:"fileName"`
	ContentType string `json:"contentType,omitempty"`
	ContentID   string `json:"contentId,omitempty"`
	Disposition string `json:"disposition,omitempty"`
	Size        int    `json:"size"`
	Content     []byte `json:"content"`
}

// Accepted is the number of messages in the mailbox.
func (s *Service) Accepted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mailbox.count
}

// Message returns an accepted message, or nil if there is none with this id.
func (s *Service) Message(messageID string) (*Message, error) {
	s.mu.Lock()
	size := s.mailbox.contentsSize
	s.mu.Unlock()
	stored, err := s.mailbox.read(messageID, size)
	if stored == nil || err != nil {
		return nil, err
	}
	var request Request
	if err := json.Unmarshal(stored.Request, &request); err != nil {
		return nil, err
	}
	if request.Content.Raw != nil {
		checkRaw(&request) // takes From and To out of the headers, as at acceptance
	}
	request.Caller, request.SourceIP = stored.Caller, stored.SourceIP
	m := &Message{Entry: *newEntry(&request), Attachments: []MessageAttachment{}}
	m.MessageID, m.Time = stored.MessageID, stored.Time
	if raw := request.Content.Raw; raw != nil {
		m.Raw = string(raw.Data)
		return m, nil
	}
	simple := request.Content.Simple
	m.HTML, m.Text = simple.Body.Html.value(), simple.Body.Text.value()
	for _, a := range simple.Attachments {
		m.Attachments = append(m.Attachments, MessageAttachment{
			FileName: a.FileName, ContentType: a.ContentType, ContentID: a.ContentId, Disposition: a.ContentDisposition,
			Size: len(a.RawContent), Content: a.RawContent,
		})
	}
	return m, nil
}

// Mailbox writes one Entry per line to w, in order of acceptance: all that were accepted before the call.
func (s *Service) Mailbox(w io.Writer) error {
	s.mu.Lock()
	size := s.mailbox.entriesSize
	s.mu.Unlock()
	_, err := io.Copy(w, io.NewSectionReader(s.mailbox.entries, 0, size))
	return err
}

func (s *Service) getMailbox(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	count, recipients := s.mailbox.count, s.mailbox.recipients
	s.mu.Unlock()
	s.answer(w, http.StatusOK, map[string]int64{"messages": count, "recipients": recipients})
}

func (s *Service) getMailboxLines(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jsonl")
	if err := s.Mailbox(w); err != nil {
		s.config.Logger.Warn("sending the mailbox", "error", err)
		panic(http.ErrAbortHandler)
	}
}

func (s *Service) getMessage(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("messageId")
	switch message, err := s.Message(id); {
	case err != nil:
		s.config.Logger.Warn("reading a message", "error", err)
		s.answerError(w, ErrInternal)
	case message == nil:
		s.answerError(w, notFound("The mailbox has no message %s.", id))
	default:
		s.answer(w, http.StatusOK, message)
	}
}

// rawSubject is the decoded subject of a MIME message that check has parsed before.
func rawSubject(raw *Raw) string {
	message, err := mail.ReadMessage(bytes.NewReader(raw.Data))
	if err != nil {
		return ""
	}
	subject := message.Header.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		return decoded
	}
	return subject
}
