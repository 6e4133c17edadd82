package ses

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"sync"
)

// maxRequest is the size limit of a request in bytes: a message of 40 MiB in base64 and room for the rest.
const maxRequest = 60 << 20

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// sendEmail decides on one message in SES's order: is the request well formed, may the account send, is the quota or the
// rate used up, accepted. A message that is accepted stays accepted, whether or not the caller is still there for the answer.
func (s *Service) sendEmail(w http.ResponseWriter, r *http.Request) {
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buffer.Cap() <= 1<<20 { // a pool that keeps the buffers of large attachments would never shrink
			buffers.Put(buffer)
		}
	}()
	buffer.Reset()
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest)); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			s.answerError(w, rejected("Message length is more than %d bytes long.", maxMessage))
			return
		}
		panic(http.ErrAbortHandler)
	}
	body := buffer.Bytes()
	var request Request
	if err := json.Unmarshal(body, &request); err != nil {
		s.answerError(w, &Error{http.StatusBadRequest, "SerializationException", err.Error()})
		return
	}
	if e := s.check(&request); e != nil {
		s.wait(s.Settings().latency())
		s.answerError(w, e)
		return
	}
	request.Caller, request.SourceIP = caller(r), sourceIP(r)
	s.decide(w, &request, body)
}

// decide accepts or refuses a well-formed request and answers it, with the faults that are asked for.
func (s *Service) decide(w http.ResponseWriter, request *Request, body []byte) {
	fault := s.faultFor(request)
	s.wait(fault.Delay)
	if fault.BeforeDecision != nil {
		fault.BeforeDecision()
	}
	if fault.Drop {
		hangUp(w, fault.Reset)
	}
	messageID, e := "", fault.Error
	if e == nil {
		messageID, e = s.accept(request, body)
	}
	s.wait(s.Settings().latency() + fault.AnswerDelay)
	if e == nil && fault.BeforeAnswer != nil {
		fault.BeforeAnswer()
	}
	switch {
	case e != nil:
		s.answerError(w, e)
	case fault.LoseAnswer:
		hangUp(w, fault.Reset)
	default:
		s.answerAccepted(w, messageID, fault)
	}
	if fault.AfterAnswer != nil {
		// Every answer has a Content-Length: once it is flushed, the caller need not wait for the end of this handler.
		if err := http.NewResponseController(w).Flush(); err != nil {
			s.config.Logger.Debug("flushing an answer of the local SES", "error", err)
		}
		fault.AfterAnswer()
	}
}

// answerAccepted writes SES's answer to a message that it took, or what the fault makes of it.
func (s *Service) answerAccepted(w http.ResponseWriter, messageID string, fault Fault) {
	if fault.Answer == "" && !fault.CutAnswer {
		s.answer(w, http.StatusOK, sent{messageID})
		return
	}
	answer := []byte(fault.Answer)
	if fault.Answer == "" {
		answer, _ = json.Marshal(sent{messageID}) // a string can always be marshalled
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	maps.Copy(w.Header(), fault.AnswerHeader)
	w.WriteHeader(cmp.Or(fault.AnswerStatus, http.StatusOK))
	if fault.CutAnswer {
		w.Write(answer[:len(answer)/2])
		http.NewResponseController(w).Flush()
		hangUp(w, fault.Reset)
	}
	w.Write(answer)
}

// sent is the body of SES's answer to an accepted SendEmail.
type sent struct{ MessageId string }

// accept applies the account's limits and appends the message to the mailbox.
func (s *Service) accept(request *Request, body []byte) (messageID string, _ *Error) {
	entry := newEntry(request)
	content, err := oneLine(body)
	if err != nil {
		return "", &Error{http.StatusBadRequest, "SerializationException", err.Error()}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return "", ErrUnavailable
	}
	if e := s.checkConfigurationSet(s.settings, request.ConfigurationSetName); e != nil {
		return "", e
	}
	now := s.config.Clock()
	switch limit := s.settings.Max24HourSend; {
	case !s.settings.SendingEnabled:
		return "", ErrPaused
	case limit >= 0 && float64(s.day.sum(now)) >= limit:
		return "", ErrDailyQuota
	case !s.rate.allows(now):
		return "", ErrRate
	}
	entry.Time = now.UTC()
	if err := s.mailbox.append(entry, content); err != nil {
		s.config.Logger.Error("the local SES can't write its mailbox: is the disk full?", "error", err)
		return "", ErrInternal
	}
	s.rate.take(len(request.recipients()))
	s.day.add(now, entry.quotaRecipients())
	s.publisher.notice()
	return entry.MessageID, nil
}
