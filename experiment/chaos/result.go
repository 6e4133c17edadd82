package main

import (
	"math"
	"time"

	"fanmail/experiment"
	"fanmail/local/faults"
)

// Result is what result.json holds.
type Result struct {
	At         time.Time `json:"at"`
	Machine    string    `json:"machine"`
	Recipients int64     `json:"recipients"`
	Seed       int64     `json:"seed"`
	// Rate is SES's, in recipients per second.
	Rate float64 `json:"rate"`
	// WantedKills and WantedRestarts are those that were asked for.
	WantedKills    int64 `json:"wantedKills"`
	WantedRestarts int   `json:"wantedRestarts"`
	// Mails are the messages in the mailbox, without probes.
	Mails int64 `json:"mails"`
	Findings
	// Restarts is how often the runtime was killed and started again.
	Restarts int `json:"restarts"`
	// Faults are what happened as far as it is known: what a killed runtime did in its last tenth of a second is not counted.
	Faults faults.Counts `json:"faults"`
	// DeadLetters are events that the function events could not take.
	DeadLetters int64 `json:"deadLetters"`
	// Executions is how often the campaign was started, Failures why it had to be, without restarts of the runtime.
	Executions int      `json:"executions"`
	Failures   []string `json:"failures,omitempty"`
	Waves      int      `json:"waves"`
	// Transitions are all changes of a recipient's state.
	Transitions []Transition `json:"transitions"`
	// DoubtSettled is how often a recipient was in doubt until an SES event came, DoubtDisproved how often one was in doubt until it
	// was proved that SES has no message to it.
	DoubtSettled   int64 `json:"doubtSettled"`
	DoubtDisproved int64 `json:"doubtDisproved"`
	// Seconds is the time from the first start of the campaign to its end.
	Seconds float64 `json:"seconds"`
}

func newResult(o *options) *Result {
	return &Result{
		At:         time.Now().UTC().Truncate(time.Second),
		Machine:    experiment.Machine(),
		Recipients: o.recipients, Seed: o.seed, Rate: o.rate, WantedKills: o.kills, WantedRestarts: o.restarts,
	}
}

// Problems are the sentences that say why the experiment failed; none if Fanmail kept what it promises, and was put to the test.
func (r *Result) Problems() []string {
	var problems experiment.Problems
	say := problems.Say
	say(r.Lost > 0, "%d recipients were not mailed", r.Lost)
	say(r.Doubled > 0, "%d recipients were mailed more than once", r.Doubled)
	say(r.Strangers > 0, "%d messages are to nobody on the list", r.Strangers)
	say(r.InDoubt > 0, "%d recipients are held in doubt", r.InDoubt)
	say(r.Disagreements > 0, "the ledger and the mailbox disagree about %d recipients", r.Disagreements)
	say(r.DeadLetters > 0, "%d events ended in the dead-letter queue", r.DeadLetters)
	problems = append(problems, r.Named...)
	for _, t := range r.Transitions {
		say(!t.Drawn, "%d recipients went %s --> %s, which is not in the diagram", t.Recipients, t.From, t.To)
	}
	say(len(r.Transitions) == 0, "no change of a state was seen")
	say(r.Faults.Kills < r.WantedKills, "the campaign ended after %d of %d kills, so the experiment does not show what it is to show: take a longer list or a lower rate",
		r.Faults.Kills, r.WantedKills)
	say(r.Restarts < r.WantedRestarts, "the campaign ended after %d of %d restarts of the runtime", r.Restarts, r.WantedRestarts)
	for _, f := range []struct {
		what  string
		count int64
		share float64
	}{
		{"throttles", r.Faults.Throttles, throttled}, {"internal errors of SES", r.Faults.InternalErrors, internalError},
		{"lost answers", r.Faults.LostAnswers, lostAnswer}, {"doubled events", r.Faults.EventsDoubled, eventDoubled},
		{"doubled deliveries", r.Faults.DeliveredTwice, deliveredTwice},
	} {
		least := least(f.share * float64(r.Recipients))
		say(f.count < least, "there were %d %s, at least %d were to be expected", f.count, f.what, least)
	}
	say(r.Faults.EventsDelayed == 0, "no event was late")
	say(r.Faults.Terminations == 0, "no database session was terminated")
	say(r.DoubtSettled == 0, "nobody was in doubt until an SES event came")
	say(r.DoubtDisproved == 0, "nobody was in doubt until it was proved that SES had not accepted the message")
	return problems
}

// least is how few there may be where so many are expected. Five standard deviations are for chance, and for the last moments of
// killed runtimes; but that there is none at all is no chance from ten on.
func least(expected float64) int64 {
	n := int64(expected - 5*math.Sqrt(expected))
	if expected >= 10 {
		return max(1, n)
	}
	return max(0, n)
}

// sum adds the counts of two lives.
func sum(a, b faults.Counts) faults.Counts {
	return faults.Counts{
		Kills: a.Kills + b.Kills, KillsAtPoint: a.KillsAtPoint + b.KillsAtPoint, TimeOuts: a.TimeOuts + b.TimeOuts,
		Terminations: a.Terminations + b.Terminations, Drops: a.Drops + b.Drops, Throttles: a.Throttles + b.Throttles,
		InternalErrors: a.InternalErrors + b.InternalErrors, LostAnswers: a.LostAnswers + b.LostAnswers, Delays: a.Delays + b.Delays,
		EventsLost: a.EventsLost + b.EventsLost, EventsDoubled: a.EventsDoubled + b.EventsDoubled,
		EventsDelayed: a.EventsDelayed + b.EventsDelayed, DeliveredTwice: a.DeliveredTwice + b.DeliveredTwice,
		SchedulesDoubled: a.SchedulesDoubled + b.SchedulesDoubled,
	}
}
