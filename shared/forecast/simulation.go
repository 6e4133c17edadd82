package forecast

import (
	"cmp"
	"math"
	"time"

	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/planner"
	"fanmail/shared/workflow"
)

const (
	// turn is how long a state machine takes from the end of a wait or a wave to the next decision: an estimate.
	turn = time.Second
	day  = 24 * time.Hour
	// senderReserve is what a sender leaves of its invocation for its last call and record, see lambdas/send.
	senderReserve = time.Minute
)

// Events that the definition, statemachine/campaign.asl.json, writes into the history of its execution, and states
// that it enters. Children have histories of their own.
const (
	eventsOfFrame = 1 + 2 + eventsOfTask + eventsOfTask + 2 + 1 // ExecutionStarted, Begin, Prepare, Finish, Done, ExecutionSucceeded
	eventsOfTask  = 5                                           // entered, scheduled, started, succeeded, exited
	eventsOfPlan  = eventsOfTask + 2                            // and Next?
	eventsOfWait  = 2
	eventsOfSend  = 6 // MapStateEntered, MapStateStarted, MapRunStarted, MapRunSucceeded, MapStateSucceeded, MapStateExited

	statesOfFrame = 4 // Begin, Prepare, Finish, Done
	statesOfPlan  = 2 // and Next?
	statesOfPass  = 2 // SendBatch, More?
)

// Of simulates the campaign, a year of it at most.
func Of(in Input) Forecast {
	s := begin(in)
	for s.step() {
		if s.now.Sub(in.Begin) > MaxDuration {
			s.out.TooLong = true
			break
		}
		if s.pending == in.Recipients && !s.out.EventsEnd.IsZero() {
			break // an execution has passed in which nobody was mailed
		}
	}
	return s.end()
}

// simulation is a campaign under way: the ledger as far as Decide looks at it.
type simulation struct {
	in      Input
	now     time.Time
	pending int64
	// settledBefore and fruitless are what Decide's last wave left in the campaign's row.
	settledBefore int64
	fruitless     int
	// sent are the stretches of sending of the last 24 hours, in order.
	sent []stretch
	out  Forecast
}

func begin(in Input) *simulation {
	if in.Zone == nil {
		in.Zone = time.UTC
	}
	s := &simulation{in: in, now: in.Begin, pending: in.Recipients}
	s.out = Forecast{Begin: in.Begin, End: in.Begin, Bound: in.Bound, Events: eventsOfFrame, Days: []Day{}, Waits: []Wait{}}
	s.out.Usage.Transitions = statesOfFrame
	return s
}

func (s *simulation) end() Forecast {
	out := s.out
	out.Complete = s.pending == 0
	out.Sent = s.in.Recipients - s.pending
	out.Connections = out.Senders + s.in.Bound - s.in.Senders
	out.Usage.Recipients, out.Usage.Waves, out.Usage.PlanRequests = out.Sent, out.Waves, int64(out.Looks)
	return out
}

// stretch is n recipients, sent evenly.
type stretch struct {
	from, to time.Time
	n        float64
}

// after is how many of them are sent later than t.
func (s stretch) after(t time.Time) float64 {
	switch {
	case !s.from.Before(t):
		return s.n
	case !s.to.After(t):
		return 0
	}
	return s.n * s.to.Sub(t).Seconds() / s.to.Sub(s.from).Seconds()
}

// step asks what is next and does it. It returns false at the end.
func (s *simulation) step() bool {
	s.out.Looks++
	s.events(eventsOfPlan)
	s.out.Usage.Transitions += statesOfPlan
	d, err := planner.Decide(s.facts())
	switch {
	case err != nil:
		s.out.Fails = err.Error()
	case d.Halt:
		s.out.Halts = d.Reason
	case d.Next == workflow.NextWait:
		s.wait(d)
		return true
	case d.Next == workflow.NextSend:
		s.wave(d)
		return true
	}
	return false
}

func (s *simulation) facts() planner.Facts {
	standing := ledger.Standing{Now: s.now, Counts: ledger.Counts{Pending: s.pending, Sent: s.in.Recipients - s.pending}}
	standing.Campaign = ledger.Campaign{
		State: ledger.Running, Waves: s.out.Waves, SettledBefore: s.settledBefore, Fruitless: s.fruitless,
	}
	if s.out.Waves == 0 {
		standing.Campaign.SettledBefore = -1
	}
	since := s.now.Add(-day)
	for len(s.sent) > 0 && !s.sent[0].to.After(since) {
		s.sent = s.sent[1:]
	}
	own := 0.0
	for _, stretch := range s.sent {
		own += stretch.after(since)
	}
	// A recipient is in the last 24 hours or not.
	own = math.Ceil(own - 1e-6)
	standing.SentToday = int64(own)
	if len(s.sent) > 0 {
		standing.OldestToday = s.sent[0].from
		if standing.OldestToday.Before(since) {
			standing.OldestToday = since
		}
	}
	quota := s.in.Quota
	quota.SentLast24Hours = own + s.others()
	return planner.Facts{
		Standing: standing, Settings: s.in.Settings, Quota: quota,
		Senders: s.in.Senders, Bound: s.in.Bound, Server: s.in.Server, LastWave: s.out.Waves,
	}
}

// others is what other mail has used of the quota: what it had at Asked goes, what it has from now on comes, both
// evenly within 24 hours.
func (s *simulation) others() float64 {
	share := min(max(s.now.Sub(s.in.Asked).Seconds()/day.Seconds(), 0), 1)
	return math.Ceil((1-share)*s.in.Quota.SentLast24Hours + share*s.in.OtherMail - 1e-6)
}

func (s *simulation) wait(d planner.Decision) {
	until := d.Until
	if !until.After(s.now) {
		until = s.now
	}
	s.note(d.Reason, until.Sub(s.now))
	s.events(eventsOfWait)
	s.out.Usage.Transitions++
	s.now = until.Add(turn)
}

// note adds up what is waited for.
func (s *simulation) note(reason string, length time.Duration) {
	for i := range s.out.Waits {
		if s.out.Waits[i].Reason == reason {
			s.out.Waits[i].Seconds += length.Seconds()
			return
		}
	}
	s.out.Waits = append(s.out.Waits, Wait{reason, length.Seconds()})
}

func (s *simulation) wave(d planner.Decision) {
	rate := s.rate(d.Senders)
	length := d.Until.Sub(s.now).Seconds()
	n := min(d.Limit, int64(rate*length)+1)
	took := float64(n) / rate
	end := s.now.Add(time.Duration(took * float64(time.Second)))
	batches := (d.Limit + d.BatchSize - 1) / d.BatchSize

	s.out.Waves++
	s.out.Batches += batches
	s.out.Rate = max(s.out.Rate, rate)
	if d.Senders > s.out.Senders {
		s.out.Senders, s.out.SendersReason = d.Senders, d.Reason
	}
	passes := s.passes(d, rate) * batches
	s.out.Usage.SendRequests += passes
	s.out.Usage.SendSeconds += took * float64(d.Senders)
	s.out.Usage.SendingSeconds += took
	s.out.Usage.Transitions += 1 + passes*statesOfPass + batches
	s.events(eventsOfSend)
	s.days(n, took)

	s.settledBefore, s.fruitless = s.in.Recipients-s.pending, d.Fruitless
	s.sent = append(s.sent, stretch{s.now, end, float64(n)})
	s.pending -= n
	s.out.End = end
	s.now = end.Add(turn)
}

// rate is recipients per second with so many senders: what SES and the campaign allow, less what ledger.Claim leaves
// between the slots of the account, and no more than the senders can do by the planner's own assumption.
func (s *simulation) rate(senders int) float64 {
	slots := s.in.Quota.MaxSendRate / (1 + ledger.Jitter.Seconds())
	rate := min(slots, float64(senders*mailer.Parallel)/planner.AssumedLatency.Seconds())
	if own := s.in.Settings.Rate; own > 0 {
		rate = min(rate, own)
	}
	return rate
}

// passes is how many invocations a batch takes.
func (s *simulation) passes(d planner.Decision, rate float64) int64 {
	batch := float64(min(d.BatchSize, d.Limit)) * float64(d.Senders) / rate
	working := cmp.Or(s.in.SendTimeout, 5*time.Minute) - senderReserve
	return max(1, int64(math.Ceil(batch/working.Seconds())))
}

// days adds n recipients to the days on which they are sent.
func (s *simulation) days(n int64, took float64) {
	rate := float64(n) / took
	for at := s.now; n > 0; {
		local := at.In(s.in.Zone)
		midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, s.in.Zone)
		part := min(n, int64(math.Ceil(rate*midnight.Sub(at).Seconds())))
		date := local.Format(time.DateOnly)
		if last := len(s.out.Days) - 1; last >= 0 && s.out.Days[last].Date == date {
			s.out.Days[last].Recipients += part
		} else {
			s.out.Days = append(s.out.Days, Day{date, part})
		}
		n -= part
		at = midnight
	}
}

// events counts events of the execution.
func (s *simulation) events(n int) {
	s.out.Events += n
	if s.out.Events > MaxEvents && s.out.EventsEnd.IsZero() {
		s.out.EventsEnd = s.now
	}
}
