package main

import (
	"fmt"
	"slices"
	"time"

	"fanmail/experiment"
	"fanmail/local/ses"
	"fanmail/shared/mailer"
)

// belonging is the log in the order of time, with probes, which SES counts against its rate. Every message must belong to a campaign.
func belonging(log []ses.Entry) ([]ses.Entry, error) {
	for _, m := range log {
		if m.Tags[mailer.TagCampaign] == "" {
			return nil, fmt.Errorf("message %s in SES's log is none of a campaign's: its tags are %v", m.MessageID, m.Tags)
		}
	}
	slices.SortStableFunc(log, func(a, b ses.Entry) int { return a.Time.Compare(b.Time) })
	return log, nil
}

// of is the part of the log that is about the campaigns.
func of(log []ses.Entry, campaigns ...string) []ses.Entry {
	var part []ses.Entry
	for _, m := range log {
		if slices.Contains(campaigns, m.Tags[mailer.TagCampaign]) {
			part = append(part, m)
		}
	}
	return part
}

// callers counts who mailed the recipients in the log: each environment of the sender has an access key of its own. Probes are Plan's.
func callers(log []ses.Entry) int {
	keys := map[string]bool{}
	for _, m := range log {
		if !experiment.IsProbe(m) {
			keys[m.Caller] = true
		}
	}
	return len(keys)
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
func countWindows(log []ses.Entry, limit float64) windows {
	w := windows{Windows: len(log)}
	end := 0
	for i := range log {
		for end < len(log) && log[end].Time.Sub(log[i].Time) < time.Second {
			end++
		}
		n := end - i
		if n > w.Most {
			w.Most, w.Busiest = n, log[i].Time
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
func steadyRate(log []ses.Entry, campaigns ...string) (rate float64, length time.Duration) {
	var from, to time.Time
	for _, name := range campaigns {
		own := of(log, name)
		if len(own) == 0 {
			return 0, 0
		}
		if first := own[0].Time; first.After(from) {
			from = first
		}
		if last := own[len(own)-1].Time; to.IsZero() || last.Before(to) {
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
func between(log []ses.Entry, from, to time.Time) int {
	n := 0
	for _, m := range log {
		if !m.Time.Before(from) && m.Time.Before(to) {
			n++
		}
	}
	return n
}
