package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The reasons by which an address is on the suppression list. The later one in the alphabet outweighs the other.
const (
	suppressedByBounce    = "bounced"
	suppressedByComplaint = "complained"
)

// permanent begins the Bounce of a message that will never be delivered.
const permanent = "Permanent/"

// change is what all events of one message say together.
type change struct {
	Event
	// Suppress is why the address must not be mailed again, "" if it may.
	Suppress string `json:"suppress,omitempty"`
	// last is the latest Accepted.
	last time.Time
}

func newChange(e Event) change {
	for _, t := range []*time.Time{&e.Accepted, &e.Delivered, &e.Bounced, &e.Complained, &e.Opened, &e.Clicked} {
		// PostgreSQL's times are in microseconds, and it rounds.
		*t = t.UTC().Truncate(time.Microsecond)
	}
	for _, text := range []*string{&e.Campaign, &e.MessageID, &e.Bounce} {
		*text = storable(*text)
	}
	c := change{Event: e, last: e.Accepted}
	if e.Rejected != "" {
		c.Confirms = true
		c.Rejected = storable("rejected by SES: " + e.Rejected)
	}
	switch {
	case !e.Complained.IsZero():
		c.Suppress = suppressedByComplaint
	case strings.HasPrefix(e.Bounce, permanent):
		c.Suppress = suppressedByBounce
	}
	return c
}

// and is the change of both, which are of the same message. The order does not matter.
func (c change) and(other change) change {
	if other.Claim.String() < c.Claim.String() {
		c.Claim = other.Claim
	}
	c.Confirms = c.Confirms || other.Confirms
	c.Suppress = max(c.Suppress, other.Suppress)
	if c.last.Before(other.last) {
		c.last = other.last
	}
	c.Accepted = earlier(c.Accepted, other.Accepted)
	if c.Rejected == "" || other.Rejected != "" && other.Rejected < c.Rejected {
		c.Rejected = other.Rejected
	}
	if c.Bounced.IsZero() || !other.Bounced.IsZero() && cmp.Or(other.Bounced.Compare(c.Bounced), cmp.Compare(other.Bounce, c.Bounce)) < 0 {
		c.Bounced, c.Bounce = other.Bounced, other.Bounce
	}
	c.Delivered = earlier(c.Delivered, other.Delivered)
	c.Complained = earlier(c.Complained, other.Complained)
	c.Opened = earlier(c.Opened, other.Opened)
	c.Clicked = earlier(c.Clicked, other.Clicked)
	return c
}

// earlier is the earlier of two times, of which zero ones don't count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// addressee is a recipient as SES's tags name it.
type addressee struct {
	campaign string
	tag      uuid.UUID
	seq      int64
}

func (c change) addressee() addressee { return addressee{c.Campaign, c.Tag, c.Seq} }

// merge makes one change of all events of a message, in the order in which SES accepted the messages.
func merge(events []Event) []change {
	type message struct {
		addressee
		id string
	}
	at := map[message]int{}
	var changes []change
	for _, e := range events {
		c := newChange(e)
		key := message{c.addressee(), c.MessageID}
		if i, ok := at[key]; ok {
			changes[i] = changes[i].and(c)
			continue
		}
		at[key] = len(changes)
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(a.Accepted.Compare(b.Accepted), strings.Compare(a.MessageID, b.MessageID), cmp.Compare(a.Seq, b.Seq))
	})
	return changes
}

// rounds divides changes so that none has two messages to one recipient, because one statement changes a row once only. If
// nobody was mailed twice there is one round.
func rounds(changes []change) (all [][]change) {
	nth := map[addressee]int{}
	for _, c := range changes {
		n := nth[c.addressee()]
		nth[c.addressee()]++
		if n == len(all) {
			all = append(all, nil)
		}
		all[n] = append(all[n], c)
	}
	return all
}

// storable is a text from outside as PostgreSQL stores it, of maxReason bytes at most: no NUL, valid UTF-8.
func storable(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}
