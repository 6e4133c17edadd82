// Package mailer sends a chunk of messages through Amazon SES and gives back one outcome for each. Nothing else in the
// program knows which SES call was made, or what its answers mean.
package mailer

// Kind is the closed set of what can become of a message.
type Kind string

const (
	// Accepted: SES took the message and gave it an id.
	Accepted Kind = "accepted"
	// Refused: this message will never be accepted; reason says why.
	Refused Kind = "refused"
	// NotAccepted: it is proved that SES did not take the message; it may be tried again later.
	NotAccepted Kind = "not accepted"
	// QuotaReached: not accepted, and no message will be until the account's daily quota renews.
	QuotaReached Kind = "quota reached"
	// Stop: not accepted, and no message of this campaign will be until a human mends the reason.
	Stop Kind = "stop"
	// Unknown: SES may or may not have taken the message: the answer was lost, or says nothing about it.
	Unknown Kind = "unknown"
)

// Outcome is what became of one message.
type Outcome struct {
	Kind      Kind
	MessageID string
	Reason    string
	// Throttled: not accepted because the account's rate was exceeded; all senders should slow down.
	Throttled bool
	// Missed: not accepted because its time slot had passed.
	Missed bool
}
