// Package ledger is the only truth about who was mailed. Every SQL statement that touches it stands here.
package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// CampaignState is where a campaign stands.
type CampaignState string

const (
	// Importing: the row exists, its recipients are not all in the ledger yet.
	Importing CampaignState = "importing"
	// Running: senders may claim.
	Running CampaignState = "running"
	// Paused: a user stopped it; starting it again resumes it.
	Paused CampaignState = "paused"
	// Halted: SES, or a guard, stopped it; reason says why; starting it again resumes it.
	Halted CampaignState = "halted"
	// Cancelled: a user ended it for good.
	Cancelled CampaignState = "cancelled"
	// Failed: an error ended the execution; starting it again resumes it.
	Failed CampaignState = "failed"
	// Interrupted: its execution ended without closing it, because somebody stopped it for instance; starting it
	// again resumes it.
	Interrupted CampaignState = "interrupted"
	// Finished: every recipient is settled or held in doubt.
	Finished CampaignState = "finished"
)

// RecipientState is where a recipient stands.
type RecipientState string

const (
	// Pending: not mailed yet, free to be claimed.
	Pending RecipientState = "pending"
	// Claimed: a sender may be mailing it now; once claimed_until has passed it is in doubt whether it was mailed.
	Claimed RecipientState = "claimed"
	// Sent: SES accepted the message.
	Sent RecipientState = "sent"
	// RecipientFailed: SES refused the message for good, or it can't be rendered; reason says why.
	RecipientFailed RecipientState = "failed"
	// Suppressed: the address is on the suppression list; never mailed.
	Suppressed RecipientState = "suppressed"
	// Skipped: left out on purpose; never mailed; reason says why.
	Skipped RecipientState = "skipped"
)

// EndedBy is what ended a wave early.
type EndedBy string

const (
	// ByQuota: SES said that the daily quota is used up.
	ByQuota EndedBy = "quota"
	// ByTrouble: SES answered nothing that settled anybody, several times in a row.
	ByTrouble EndedBy = "trouble"
)

// Campaign is one row of fanmail.campaign.
type Campaign struct {
	bun.BaseModel `bun:"table:fanmail.campaign,alias:c"`

	ID   int64 `bun:",pk,autoincrement"`
	Name string
	// Tag is the campaign's in SES events.
	Tag       uuid.UUID `bun:",nullzero,type:uuid,default:gen_random_uuid()"`
	State     CampaignState
	Reason    string
	Execution string
	Settings  json.RawMessage `bun:"type:jsonb"`
	// RecipientsTag is the SHA-256 of the recipients file.
	RecipientsTag string
	Recipients    int64
	Rejected      map[string]int64 `bun:"type:jsonb"`
	Waves         int
	Batches       int64
	EndedWave     int
	EndedBy       EndedBy
	WaveEndedAt   time.Time `bun:",nullzero"`
	WaveUntil     time.Time `bun:",nullzero,default:'epoch'"`
	// WitnessedAt is when SES accepted the latest message of which an event has arrived.
	WitnessedAt   time.Time `bun:",nullzero,default:'epoch'"`
	Witness       time.Time `bun:",nullzero,default:'epoch'"`
	WitnessAt     time.Time `bun:",nullzero,default:'epoch'"`
	DoubtedAt     time.Time `bun:",nullzero"`
	SettledBefore int64
	Fruitless     int
	CreatedAt     time.Time `bun:",nullzero,default:now()"`
	StartedAt     time.Time `bun:",nullzero,default:now()"`
	EndedAt       time.Time `bun:",nullzero"`
}

// RejectedLines is the number of lines of recipients.csv that did not become a recipient.
func (c *Campaign) RejectedLines() int64 {
	var n int64
	for _, count := range c.Rejected {
		n += count
	}
	return n
}

// Recipient is one row of fanmail.recipient: one address in one campaign.
type Recipient struct {
	bun.BaseModel `bun:"table:fanmail.recipient,alias:r"`

	CampaignID   int64 `bun:",pk"`
	Seq          int64 `bun:",pk"`
	Line         int64
	Address      string
	Fields       map[string]string `bun:"type:jsonb"`
	State        RecipientState
	Reason       string    `bun:",nullzero"`
	Claim        uuid.UUID `bun:",nullzero,type:uuid"`
	ClaimedUntil time.Time `bun:",nullzero"`
	MessageID    string    `bun:",nullzero"`
	SettledAt    time.Time `bun:",nullzero"`
	// What SES events say, see Event.
	ConfirmedAt  time.Time `bun:",nullzero"`
	DeliveredAt  time.Time `bun:",nullzero"`
	BouncedAt    time.Time `bun:",nullzero"`
	Bounce       string    `bun:",nullzero"`
	ComplainedAt time.Time `bun:",nullzero"`
	OpenedAt     time.Time `bun:",nullzero"`
	ClickedAt    time.Time `bun:",nullzero"`
}

// Counts is how many recipients of a campaign stand where.
type Counts struct {
	Pending int64
	// Claimed are held by a sender that may still be at work; InDoubt by one whose claim has run out.
	Claimed    int64
	InDoubt    int64
	Sent       int64
	Failed     int64
	Suppressed int64
	Skipped    int64
	// Of the messages that SES accepted: those of which an event has arrived, and what the events say.
	Confirmed  int64
	Delivered  int64
	Bounced    int64
	Complained int64
	Opened     int64
	Clicked    int64
}

// Finished says how a finished campaign stands.
func (c Counts) Finished() string {
	switch {
	case c.InDoubt > 0 && c.Pending > 0:
		return fmt.Sprintf("sent, but %d recipients are held in doubt, and %d are pending: the next start of the campaign mails these", c.InDoubt, c.Pending)
	case c.InDoubt > 0:
		return fmt.Sprintf("sent, but %d recipients are held in doubt", c.InDoubt)
	case c.Pending > 0:
		return fmt.Sprintf("sent, but %d recipients are pending: the next start of the campaign mails them", c.Pending)
	}
	return "sent"
}

// Settled is the number of recipients that need nothing more.
func (c Counts) Settled() int64 {
	return c.Sent + c.Failed + c.Suppressed + c.Skipped
}
