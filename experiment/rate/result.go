package main

import (
	"math"
	"os"
	"strings"
	"time"

	"fanmail/experiment"
)

// within is how far the rate may be from the limit, as a share of it.
const within = 0.03

// Result is what result.json holds.
type Result struct {
	At      time.Time `json:"at"`
	Machine string    `json:"machine"`
	// LoadBefore and LoadAfter are the load averages of the machine.
	LoadBefore string `json:"loadBefore"`
	LoadAfter  string `json:"loadAfter"`
	// Recipients are those of one campaign.
	Recipients int64 `json:"recipients"`
	// Limit is SES's, in recipients per second.
	Limit               float64 `json:"limit"`
	LatencyMilliseconds int64   `json:"latencyMilliseconds"`
	// Senders is how many different senders mailed the two campaigns, WantedSenders how many should.
	Senders       int `json:"senders"`
	WantedSenders int `json:"wantedSenders"`
	// Mailed is how many recipients have a message in SES's log, Doubled how many have more than one.
	Mailed  int64 `json:"mailed"`
	Doubled int64 `json:"doubled"`
	windows
	// Refused are the calls that SES answered with an error. As nothing else is wrong with the messages, they were throttled.
	Refused int64 `json:"refused"`
	// Rate is that of SES's log while both campaigns were sending, for SteadySeconds.
	Rate          float64 `json:"rate"`
	SteadySeconds float64 `json:"steadySeconds"`
	// GivenBack are recipients whose slot passed without a call, so that they were claimed again, by the senders' reasons.
	GivenBack map[string]int64 `json:"givenBack"`
	Change    *Change          `json:"change,omitempty"`
}

func newResult(o *options) *Result {
	return &Result{
		At:         time.Now().UTC().Truncate(time.Second),
		Machine:    experiment.Machine(),
		LoadBefore: load(), Recipients: o.recipients, Limit: o.rate, LatencyMilliseconds: o.latency.Milliseconds(), WantedSenders: o.senders,
	}
}

// off is how far the rate is from the limit, as a share of it.
func (r *Result) off() float64 { return r.Rate/r.Limit - 1 }

// Problems are the sentences that say what is not as it should be.
func (r *Result) Problems() []string {
	var problems experiment.Problems
	say := problems.Say
	all := 2 * r.Recipients
	say(r.Mailed != all, "of %d recipients %d were mailed", all, r.Mailed)
	say(r.Doubled > 0, "%d recipients were mailed more than once", r.Doubled)
	say(r.Over > 0, "SES counted up to %d messages in one second, but its limit is %v: %d windows hold more", r.Most, r.Limit, r.Over)
	say(r.Refused > 0, "SES throttled %d messages", r.Refused)
	say(!(math.Abs(r.off()) <= within), "the rate is %.1f per second, more than %.0f %% off the limit %v", r.Rate, 100*within, r.Limit)
	least := (minSeconds*time.Second - 2*settling).Seconds()
	say(r.SteadySeconds < least, "the rate is that of %.1f seconds, it takes %.0f: take longer lists", r.SteadySeconds, least)
	say(r.Senders < r.WantedSenders, "only %d senders mailed the two campaigns, %d should", r.Senders, r.WantedSenders)
	if c := r.Change; c != nil {
		say(c.Mailed != c.Recipients, "while the limit changed, of %d recipients %d were mailed", c.Recipients, c.Mailed)
		say(c.Doubled > 0, "while the limit changed, %d recipients were mailed more than once", c.Doubled)
	}
	return problems
}

// load is the load average of the machine, if it tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load unknown"
	}
	fields := strings.Fields(string(text))
	return "load " + strings.Join(fields[:min(3, len(fields))], " ")
}
