// Package forecast says how a campaign will go before it begins, and what it will cost. It asks the same brain as
// lambdas/plan, planner.Decide, over a ledger that it simulates, so that forecast and reality follow the same rules.
// Pure functions: whoever calls them gathers the facts.
package forecast

import (
	"time"

	"fanmail/shared/budget"
	"fanmail/shared/campaign"
	"fanmail/shared/planner"
)

// Quotas of Step Functions, https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	// MaxEvents is the most events that the history of an execution may have.
	MaxEvents = 25_000
	// MaxDuration is the longest that an execution may take.
	MaxDuration = 365 * 24 * time.Hour
)

// Input is all that a forecast depends on.
type Input struct {
	// Recipients are to be mailed: the list, less who is suppressed or settled already.
	Recipients int64
	Settings   campaign.Campaign
	// Quota is the SES account as it was at Asked. What was sent until then was sent evenly in 24 hours.
	Quota planner.Quota
	Asked time.Time
	// OtherMail is how many recipients other mail of the account has from now on, in 24 hours.
	OtherMail float64
	Begin     time.Time
	// Zone is where days begin.
	Zone *time.Location
	// Senders is the reserved concurrency of the sender function, Bound the sum over all functions.
	Senders int
	Bound   int
	Server  budget.Server
	// SendTimeout is the timeout of the sender function.
	SendTimeout time.Duration
}

// Forecast is how a campaign will go. Times and seconds are estimates: throttles, retries and cold starts are not in
// them.
type Forecast struct {
	Begin time.Time `json:"begin"`
	// End is when SES takes the last message; of a campaign that is not Complete, the last of those before.
	End time.Time `json:"end"`
	// Sent is how many recipients are mailed. Complete: that is all of them.
	Sent     int64 `json:"sent"`
	Complete bool  `json:"complete"`
	// Days are those on which mail goes out, in the zone of the forecast.
	Days    []Day `json:"days"`
	Waves   int   `json:"waves"`
	Batches int64 `json:"batches"`
	// Senders is the most that work at once, and SendersReason why.
	Senders       int    `json:"senders"`
	SendersReason string `json:"sendersReason,omitempty"`
	// Rate is the most recipients per second.
	Rate float64 `json:"rate"`
	// Connections is the most that Fanmail holds while the campaign runs alone: its senders, and what the other
	// functions reserve.
	Connections int `json:"connections"`
	Bound       int `json:"bound"`
	// Waits are what the campaign waits for, in the order in which it first does.
	Waits []Wait `json:"waits"`
	// Looks is how often Plan is asked. Events is the length of the execution's history, and EventsEnd when it
	// reaches MaxEvents and the execution fails; zero when it does not.
	Looks     int       `json:"looks"`
	Events    int       `json:"events"`
	EventsEnd time.Time `json:"eventsEnd,omitzero"`
	// Halts is why the campaign would be halted, Fails why its execution would fail.
	Halts string `json:"halts,omitempty"`
	Fails string `json:"fails,omitempty"`
	// TooLong: it would take longer than an execution may.
	TooLong bool `json:"tooLong,omitempty"`
	// Usage is what the campaign uses of AWS.
	Usage Usage `json:"usage"`
}

// Day is a day on which mail goes out.
type Day struct {
	// Date is like 2026-11-26.
	Date       string `json:"date"`
	Recipients int64  `json:"recipients"`
}

// Wait is what a campaign waits for.
type Wait struct {
	Reason  string  `json:"reason"`
	Seconds float64 `json:"seconds"`
}

// Usage is what a campaign uses of AWS.
type Usage struct {
	Recipients int64 `json:"recipients"`
	// SendRequests are invocations of the sender function, SendSeconds the time that they take together.
	SendRequests int64   `json:"sendRequests"`
	SendSeconds  float64 `json:"sendSeconds"`
	// PlanRequests are invocations of plan.
	PlanRequests int64 `json:"planRequests"`
	// Transitions are states that the execution and its children enter.
	Transitions int64 `json:"transitions"`
	// SendingSeconds is how long mail goes out, Waves in how many waves.
	SendingSeconds float64 `json:"sendingSeconds"`
	Waves          int     `json:"waves"`
}

// Trouble says why the campaign could not be mailed to its end; "" when it can.
func (f Forecast) Trouble() string {
	if f.Halts != "" {
		return f.Halts
	}
	return f.Fails
}
