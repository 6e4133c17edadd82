package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"fanmail/local/ses"
	"fanmail/shared/mailer"
)

// accepted is a message in SES's log.
type accepted struct {
	// at is when SES accepted it.
	at       time.Time
	campaign string
	to       string
}

// readLog reads SES's log in the order of acceptance, without probes: they belong to no recipient.
func readLog(r io.Reader) ([]accepted, error) {
	var log []accepted
	decoder := json.NewDecoder(r)
	for {
		var entry ses.Entry
		if err := decoder.Decode(&entry); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading SES's log: %w", err)
		}
		if entry.Tags[mailer.TagProbe] != "" {
			continue
		}
		if entry.Tags[mailer.TagCampaign] == "" || len(entry.To) != 1 {
			return nil, fmt.Errorf("reading SES's log: message %s is none of a campaign's: its tags are %v", entry.MessageID, entry.Tags)
		}
		log = append(log, accepted{at: entry.Time, campaign: entry.Tags[mailer.TagCampaign], to: entry.To[0]})
	}
	slices.SortStableFunc(log, func(a, b accepted) int { return a.at.Compare(b.at) })
	return log, nil
}

// of is the part of the log that is about the campaigns.
func of(log []accepted, campaigns ...string) []accepted {
	var part []accepted
	for _, m := range log {
		if slices.Contains(campaigns, m.campaign) {
			part = append(part, m)
		}
	}
	return part
}

// windows are all windows of one second. Every set of messages that one of them holds is in one that begins with a message.
type windows struct {
	// Most is the largest number of messages in a window, Over how many of those that begin with a message hold more than the
	// limit, of all Windows.
	Most    int `json:"most"`
	Over    int `json:"over"`
	Windows int `json:"windows"`
	// Busiest is when the window begins that holds the most.
	Busiest time.Time `json:"busiest"`
}

// countWindows counts the messages from at, included, to a second later, excluded.
func countWindows(log []accepted, limit float64) windows {
	w := windows{Windows: len(log)}
	end := 0
	for i := range log {
		for end < len(log) && log[end].at.Sub(log[i].at) < time.Second {
			end++
		}
		n := end - i
		if n > w.Most {
			w.Most, w.Busiest = n, log[i].at
		}
		if float64(n) > limit {
			w.Over++
		}
	}
	return w
}

// settling is how much of the beginning and of the end of the time in which all campaigns send does not count.
const settling = 2 * time.Second

// steadyRate is the messages per second while all campaigns are sending, without the first and the last two seconds, and how long
// that was. Both are 0 when it was not.
func steadyRate(log []accepted, campaigns ...string) (rate float64, length time.Duration) {
	var from, to time.Time
	for _, name := range campaigns {
		own := of(log, name)
		if len(own) == 0 {
			return 0, 0
		}
		if first := own[0].at; first.After(from) {
			from = first
		}
		if last := own[len(own)-1].at; to.IsZero() || last.Before(to) {
			to = last
		}
	}
	from, to = from.Add(settling), to.Add(-settling)
	n := between(log, from, to)
	if length = to.Sub(from); length <= 0 {
		return 0, 0
	}
	return float64(n) / length.Seconds(), length
}

// between counts the messages from from, included, to to, excluded.
func between(log []accepted, from, to time.Time) int {
	n := 0
	for _, m := range log {
		if !m.at.Before(from) && m.at.Before(to) {
			n++
		}
	}
	return n
}

// countMails counts who has a message, and who has more than one.
func countMails(log []accepted) (mailed, doubled int64) {
	type recipient struct{ campaign, to string }
	messages := map[recipient]int{}
	for _, m := range log {
		r := recipient{m.campaign, m.to}
		switch messages[r]++; messages[r] {
		case 1:
			mailed++
		case 2:
			doubled++
		}
	}
	return mailed, doubled
}
