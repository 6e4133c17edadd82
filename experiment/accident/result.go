package main

import (
	"time"

	"fanmail/experiment"
)

const (
	naiveName   = "naive"
	fanmailName = "fanmail"
)

// Result is what result.json holds.
type Result struct {
	At                  time.Time `json:"at"`
	Machine             string    `json:"machine"`
	Recipients          int64     `json:"recipients"`
	MaxConnections      int       `json:"maxConnections"`
	AccountConcurrency  int       `json:"accountConcurrency"`
	LatencyMilliseconds int64     `json:"latencyMilliseconds"`
	// NaiveBatch is how many recipients one naive invocation mails.
	NaiveBatch int64  `json:"naiveBatch"`
	Halves     []Half `json:"halves"`
}

// Half is one mailing of the list.
type Half struct {
	Name string `json:"name"`
	// Server is PostgreSQL's version, Slots its connections for ordinary roles.
	Server string `json:"server"`
	Slots  int    `json:"slots"`
	// Mailed is how many recipients of the list have a message in SES's mailbox, Doubled how many have more than one, and
	// Recorded how many the ledger says were sent.
	Mailed   int64 `json:"mailed"`
	Doubled  int64 `json:"doubled"`
	Recorded int64 `json:"recorded"`
	// Refused counts the connections that PostgreSQL's own log says it refused for want of a slot.
	Refused int `json:"refused"`
	// Said are the same by the server's words.
	Said map[string]int `json:"said"`
	// Invocations are those of the sender function, FailedInvocations those of them that ended with an error.
	Invocations       int `json:"invocations"`
	FailedInvocations int `json:"failedInvocations"`
	// Before, Peak and End are sessions in pg_stat_activity: before the execution, at most in any sample, and after it.
	Before int `json:"before"`
	Peak   int `json:"peak"`
	End    int `json:"end"`
	// Bound is the most sessions that there may be, and Senders the most senders; 0 where nothing bounds them.
	Bound   int `json:"bound"`
	Senders int `json:"senders"`
	// Environments is how many of all functions were started.
	Environments int `json:"environments"`
	// Seconds is the time of the execution, the import of the list included.
	Seconds float64 `json:"seconds"`
	// Visits is how often another user of the database tried to connect, TurnedAway how often there was no slot for it.
	Visits     int `json:"visits"`
	TurnedAway int `json:"turnedAway"`
	// LongestGap is the longest time between two samples, in seconds.
	LongestGap float64  `json:"longestGap"`
	Samples    []Sample `json:"samples"`
}

// Sample is one look at the half.
type Sample struct {
	// Seconds since the start of the execution; negative before it.
	Seconds      float64 `json:"t"`
	Connections  int     `json:"connections"`
	Environments int     `json:"environments"`
	// Refused counts from the beginning.
	Refused int `json:"refused"`
}

func newResult(o *options) *Result {
	return &Result{
		At:         time.Now().UTC().Truncate(time.Second),
		Machine:    experiment.Machine(),
		Recipients: o.recipients, MaxConnections: maxConnections, AccountConcurrency: accountConcurrency,
		LatencyMilliseconds: o.latency.Milliseconds(), NaiveBatch: o.batch(),
	}
}

// endSlack is how many sessions beyond one per sender may be left at the end: those of Prepare, Plan, Finish and the two of events.
const endSlack = 5

// Problems are the sentences that say why the experiment failed; none if it showed what it is to show.
func (r *Result) Problems() []string {
	var problems experiment.Problems
	for _, h := range r.Halves {
		say := func(wrong bool, format string, args ...any) { problems.Say(wrong, h.Name+": "+format, args...) }
		say(len(h.Samples) == 0, "there is no sample")
		if h.Name == naiveName {
			say(h.Refused == 0, "no connection was refused, so the experiment shows nothing: take a longer list")
			say(h.Mailed >= r.Recipients, "everybody was mailed, so the experiment shows nothing: take a longer list")
			continue
		}
		say(h.Peak > h.Bound, "%d connections in one sample, but the bound is %d", h.Peak, h.Bound)
		say(h.Refused > 0, "%d connections were refused", h.Refused)
		say(h.Mailed != r.Recipients || h.Recorded != r.Recipients, "of %d recipients %d were mailed, and the ledger says %d", r.Recipients, h.Mailed, h.Recorded)
		say(h.Doubled > 0, "%d recipients were mailed more than once", h.Doubled)
		say(h.End-h.Before > h.Senders+endSlack, "%d connections before and %d at the end: that is more than %d senders and %d", h.Before, h.End, h.Senders, endSlack)
		say(h.TurnedAway > 0, "another user of the database was turned away %d times", h.TurnedAway)
	}
	return problems
}

// setSamples keeps the samples and what follows from them.
func (h *Half) setSamples(samples []Sample) {
	h.Samples = samples
	for i, s := range samples {
		h.Peak, h.Refused = max(h.Peak, s.Connections), max(h.Refused, s.Refused)
		if s.Seconds <= 0 {
			h.Before = s.Connections
		}
		if i > 0 {
			h.LongestGap = max(h.LongestGap, s.Seconds-samples[i-1].Seconds)
		}
		h.End = s.Connections
	}
}
