package ses

import (
	"strings"
	"time"
)

// simulator is the domain of the mailbox simulator, whose addresses stand for what can become of a message. Each of them may
// have a label: bounce+anything@simulator.amazonses.com.
// https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
const simulator = "@simulator.amazonses.com"

// scenario is the local part of a simulator's address without its label; "" for all other addresses.
func scenario(address string) string {
	local, ok := strings.CutSuffix(strings.ToLower(address), simulator)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(local, "+")
	return name
}

// events are those that SES publishes of its own accord: of an accepted message first Send; then Delivery for all whose mail
// servers took it, or Bounce; then what the recipients of the simulator answer. Without a configuration set there are none.
func (s *Service) events(e *Entry) []*event {
	if e.ConfigurationSet == "" {
		return nil
	}
	mail := s.eventMail(e)
	step := s.config.DeliveryDelay
	list := []*event{newEvent(mail, "Send", mail.Destination, e.Time)}
	later := func(steps time.Duration, eventType string, recipients ...string) *event {
		event := newEvent(mail, eventType, recipients, e.Time.Add(steps*step))
		event.delay = steps * step
		list = append(list, event)
		return event
	}
	var delivered []string
	for _, address := range mail.Destination {
		switch scenario(address) {
		case "bounce":
			later(1, "Bounce", address)
		case "suppressionlist":
			later(1, "Bounce", address).Bounce.suppressed()
		default:
			delivered = append(delivered, address)
		}
	}
	if len(delivered) == 0 {
		return list
	}
	later(1, "Delivery", delivered...).Delivery.ProcessingTimeMillis = step.Milliseconds()
	for _, address := range delivered {
		switch scenario(address) {
		case "complaint":
			later(2, "Complaint", address)
		case "ooto":
			later(2, "Bounce", address).Bounce.outOfOffice()
		}
	}
	return list
}

// suppressed makes it the bounce of an address on SES's suppression list.
func (b *bounce) suppressed() {
	b.BounceSubType = "Suppressed"
	b.ReportingMTA = "dns; amazonses.com"
	for i := range b.BouncedRecipients {
		b.BouncedRecipients[i].DiagnosticCode = "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address."
	}
}

// outOfOffice makes it an automatic answer, which SES reports as a transient bounce without a word of a mail server.
func (b *bounce) outOfOffice() {
	b.BounceType = "Transient"
	b.ReportingMTA = ""
	for i, r := range b.BouncedRecipients {
		b.BouncedRecipients[i] = recipient{EmailAddress: r.EmailAddress}
	}
}
