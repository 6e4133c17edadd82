package ses

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// simulation is the body of POST /_ses/events. MessageID and EventType are required; the others have defaults.
type simulation struct {
	MessageID string `json:"messageId"`
	EventType string `json:"eventType"`
	// Recipient is whom the event is about: by default the first recipient of the message.
	Recipient string `json:"recipient"`
	// BounceType and BounceSubType are Permanent and General by default.
	BounceType    string `json:"bounceType"`
	BounceSubType string `json:"bounceSubType"`
	// Link is what was clicked.
	Link string `json:"link"`
}

// postEvent publishes an event of a message as if it had just happened, and answers when the target has it.
func (s *Service) postEvent(w http.ResponseWriter, r *http.Request) {
	var wanted simulation
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		s.answerError(w, badRequest("reading the event: %v", err))
		return
	}
	published, e := s.simulate(wanted)
	if e != nil {
		s.answerError(w, e)
		return
	}
	if len(published) > 0 {
		if err := s.config.Publish(published); err != nil {
			s.config.Logger.Warn("publishing an event", "error", err)
			s.answerError(w, &Error{http.StatusServiceUnavailable, "ServiceUnavailable", "The target of the events did not take it: " + err.Error()})
			return
		}
	}
	s.answer(w, http.StatusOK, map[string]int{"published": len(published)})
}

// simulate makes the event, as many times as it is to be published.
func (s *Service) simulate(wanted simulation) ([]Published, *Error) {
	if s.config.Publish == nil {
		return nil, badRequest("The events of this SES have no target.")
	}
	message, err := s.Message(wanted.MessageID)
	switch {
	case err != nil:
		s.config.Logger.Warn("reading a message", "error", err)
		return nil, ErrInternal
	case message == nil:
		return nil, notFound("The mailbox has no message %s.", wanted.MessageID)
	case message.ConfigurationSet == "":
		return nil, badRequest("Message %s was sent without a configuration set: SES publishes no events of it.", wanted.MessageID)
	}
	mail := s.eventMail(&message.Entry)
	addresses := mail.Destination[:1]
	if wanted.Recipient != "" {
		if !slices.Contains(mail.Destination, wanted.Recipient) {
			return nil, badRequest("%s is no recipient of message %s.", wanted.Recipient, wanted.MessageID)
		}
		addresses = []string{wanted.Recipient}
	}
	event := newEvent(mail, wanted.EventType, addresses, s.config.Clock())
	if event == nil {
		return nil, badRequest("There are no events of type %q: choose one of %s.", wanted.EventType, strings.Join(eventTypes, ", "))
	}
	if event.Bounce != nil && wanted.BounceType != "" {
		event.Bounce.BounceType = wanted.BounceType
	}
	if event.Bounce != nil && wanted.BounceSubType != "" {
		event.Bounce.BounceSubType = wanted.BounceSubType
	}
	if event.Click != nil && wanted.Link != "" {
		event.Click.Link = wanted.Link
	}
	published, err := s.copies(nil, event, message.Tags)
	if err != nil {
		s.config.Logger.Warn("making an event", "error", err)
		return nil, ErrInternal
	}
	return published, nil
}
