// Package planner decides what a campaign does next. Decide is a pure function of the facts; lambdas/plan gathers them
// and carries the decision out.
package planner

import (
	"fmt"
	"math"
	"time"

	"fanmail/shared/budget"
	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

// AssumedLatency is the time of one SendEmail call by which senders are counted, with a share of the time between chunks.
const AssumedLatency = 200 * time.Millisecond

const (
	// waveLength ends a wave so that quota, window and rate are looked at again.
	waveLength = time.Hour
	// batchTime is how long a sender should be at work on one batch.
	batchTime = time.Minute
	// minBatch and maxBatch bound the pending recipients of a batch: a child execution costs a few transitions, and its
	// failure concerns the whole batch.
	minBatch, maxBatch = 50, 1000
	// recheck is how long to wait for a quota that frees bit by bit, or for a SES that settled nothing.
	recheck = 15 * time.Minute
	// rechecksADay: a wave is worth the quota of one recheck at least, because an execution has 25,000 events.
	rechecksADay = int64(24 * time.Hour / recheck)
	// slotRecheck is how long to wait for a connection that the server can't give at the moment.
	slotRecheck = time.Minute
	// doubtMargin is waited beyond the end of the last claim under way.
	doubtMargin = time.Second
	// graceRechecks is how often the events of a doubt are looked for within a grace period.
	graceRechecks = 5
	// lastCall is how long before a send window closes the last message leaves: it takes a moment to reach SES.
	lastCall = time.Second
	// maxFruitless waves in a row that settle nobody end the campaign.
	maxFruitless = 2
)

// Facts is all that a decision depends on.
type Facts struct {
	Standing ledger.Standing
	Settings campaign.Campaign
	Quota    Quota
	// Senders is the reserved concurrency of the sender function, Bound the sum over all functions; Server is what
	// PostgreSQL has to give.
	Senders int
	Bound   int
	Server  budget.Server
	// Grace is how long after the end of a claim the SES events of its messages may still be on their way.
	Grace time.Duration
	// LastWave is the number of the wave that ran last. A campaign that has counted more lost an answer of Plan.
	LastWave int
}

// Decision is the answer to "what next?".
type Decision struct {
	Next   workflow.Next
	Reason string
	// Until ends a wait or a wave.
	Until time.Time
	// Halt: the campaign is to be halted for Reason.
	Halt bool
	// Probe: a message to the mailbox simulator is to show whether SES events still arrive. Doubt: only what is in doubt keeps
	// the campaign open.
	Probe bool
	Doubt bool
	// Trouble: the last wave settled nobody because of what SES answered.
	Trouble bool
	// Limit is how many recipients the wave may claim, BatchSize how many a batch holds, Senders how many work at once.
	Limit     int64
	BatchSize int64
	Senders   int
	// Fruitless is how many waves in a row, this one's predecessor included, settled nobody.
	Fruitless int
}

// Decide answers "what next?". While it waits for something else it sees to what is in doubt, or will be: messages that go
// out later would prove what became of it, and there are none. The error is *workflow.CampaignStuck when waves make no progress, *workflow.DatabaseFailed
// when the server has too few connections even if nobody else held one.
func Decide(f Facts) (Decision, error) {
	d, err := decide(f)
	s := f.Standing
	if err != nil || d.Next != workflow.NextWait || f.Settings.InDoubt == campaign.Hold {
		return d, err
	}
	if ends := s.ClaimedUntil.Add(doubtMargin); s.Counts.Claimed > 0 && ends.Before(d.Until) {
		d.Until = ends
	}
	// A probe proves something about claims that ran out less than a grace period ago.
	d.Probe = s.Counts.InDoubt > 0 && f.Settings.InDoubt != campaign.Resend && !s.Witnessed && s.Now.Before(s.DoubtUntil.Add(f.Grace))
	return d, nil
}

func decide(f Facts) (Decision, error) {
	s, now := f.Standing, f.Standing.Now
	counts := s.Counts
	if s.Campaign.State != ledger.Running {
		return Decision{Next: workflow.NextFinish, Reason: string(s.Campaign.State)}, nil
	}
	if counts.Pending == 0 && counts.Claimed == 0 {
		return whenSent(f), nil
	}
	if reason := accountStops(f.Quota); reason != "" {
		return Decision{Next: workflow.NextFinish, Reason: reason, Halt: true}, nil
	}
	if counts.Pending == 0 {
		return Decision{Next: workflow.NextWait, Until: s.ClaimedUntil.Add(doubtMargin),
			Reason: fmt.Sprintf("%d recipients are claimed by senders that may still be at work", counts.Claimed)}, nil
	}
	if again := s.Campaign.WaveEndedAt.Add(recheck); endedEarly(s.Campaign) && again.After(now) {
		return Decision{Next: workflow.NextWait, Until: again, Reason: fmt.Sprintf("SES ended the last wave early%s", trouble(s.Trouble))}, nil
	}
	opens, closes := windowAt(f.Settings.Window, now.Add(lastCall))
	if opens.After(now) {
		return Decision{Next: workflow.NextWait, Until: opens, Reason: "the send window is closed"}, nil
	}
	limit, worth, renews, reason := quotaLeft(f)
	if limit < min(worth, counts.Pending) {
		return Decision{Next: workflow.NextWait, Until: renews, Reason: reason}, nil
	}
	fruitless := s.Campaign.Fruitless
	switch {
	case counts.Settled() != s.Campaign.SettledBefore:
		fruitless = 0
	case s.Campaign.Waves == f.LastWave && !(endedEarly(s.Campaign) && s.Campaign.EndedBy == ledger.ByQuota):
		fruitless++
	}
	if fruitless > s.Campaign.Fruitless && s.Trouble != "" && !endedEarly(s.Campaign) {
		return Decision{Next: workflow.NextWait, Until: now.Add(recheck), Trouble: true,
			Reason: fmt.Sprintf("SES settled nobody in the last wave%s", trouble(s.Trouble))}, nil
	}
	if fruitless >= maxFruitless {
		return Decision{}, &workflow.CampaignStuck{Message: fmt.Sprintf(
			"%d waves in a row mailed nobody, %d recipients are pending%s; mend the cause and start the campaign again", fruitless, counts.Pending, trouble(s.Trouble))}
	}
	rate := f.Quota.MaxSendRate
	if f.Settings.Rate > 0 {
		rate = min(rate, f.Settings.Rate)
	}
	answer := budget.Senders(budget.Need{Rate: rate, Latency: AssumedLatency, Parallel: mailer.Parallel}, f.Senders, f.Bound, f.Server)
	if answer.Senders < 1 {
		alone := f.Server
		alone.Others = 0
		if budget.Senders(budget.Need{}, f.Senders, f.Bound, alone).Senders < 1 {
			return Decision{}, &workflow.DatabaseFailed{Message: answer.Reason + "; lower reservedConcurrency in functions.yml, or give the server or the role more connections, then start the campaign again"}
		}
		return Decision{Next: workflow.NextWait, Until: now.Add(slotRecheck), Reason: answer.Reason}, nil
	}
	until := now.Add(waveLength)
	if last := closes.Add(-lastCall); !closes.IsZero() && last.Before(until) {
		until = last
	}
	// More than the rate allows until then would only be batches that start to find the wave over.
	limit = min(limit, counts.Pending, int64(rate*until.Sub(now).Seconds())+1)
	// No more than the list can occupy.
	senders := int(min(int64(answer.Senders), (limit+minBatch-1)/minBatch))
	return Decision{Next: workflow.NextSend, Reason: answer.Reason, Until: until, Limit: limit, Senders: senders,
		BatchSize: batchSize(rate, senders, limit), Fruitless: fruitless}, nil
}

// whenSent decides about a campaign that has nobody left to mail, but for those in doubt. SettleDoubt has settled whom it
// could; what is left is waited for until the grace period is over a second time, and then held. What has been in doubt for
// long gets half of one, because SettleDoubt uses what it has seen some time ago.
func whenSent(f Facts) Decision {
	s := f.Standing
	if s.Counts.InDoubt == 0 {
		return Decision{Next: workflow.NextFinish, Reason: s.Counts.Finished()}
	}
	patience := s.DoubtUntil.Add(2 * f.Grace)
	since := s.Campaign.DoubtedAt
	if since.IsZero() {
		since = s.Now
	}
	if least := since.Add(f.Grace / 2); patience.Before(least) {
		patience = least
	}
	if f.Settings.InDoubt == campaign.Hold || !s.Now.Before(patience) {
		return Decision{Next: workflow.NextFinish, Reason: s.Counts.Finished()}
	}
	wait := Decision{Next: workflow.NextWait, Doubt: true, Until: s.DoubtUntil.Add(f.Grace + doubtMargin),
		Reason: fmt.Sprintf("SES events may still tell what became of %d recipients in doubt", s.Counts.InDoubt)}
	if again := s.Now.Add(f.Grace/graceRechecks + doubtMargin); wait.Until.Before(again) {
		wait.Until = again
	}
	return wait
}

func accountStops(q Quota) string {
	switch {
	case q.Enforcement == "SHUTDOWN":
		return "Amazon SES has shut down sending for this account: see the account's reputation page in the SES console"
	case !q.SendingEnabled:
		return "sending is paused for this SES account: enable it in the SES console, then start the campaign again"
	case q.MaxSendRate <= 0:
		return "this SES account has a sending rate of 0: see the account's sending statistics in the SES console"
	}
	return ""
}

// endedEarly tells whether the last wave was ended by its senders.
func endedEarly(c ledger.Campaign) bool {
	return !c.WaveEndedAt.IsZero() && c.EndedWave == c.Waves
}

// quotaLeft is how many recipients may be sent to now, by the account's daily quota and the campaign's dailyLimit, how
// many make a wave worth its events, and when to look again if it is not.
func quotaLeft(f Facts) (limit, worth int64, renews time.Time, reason string) {
	s := f.Standing
	limit, worth = math.MaxInt64, 1
	renews = s.Now.Add(recheck)
	if quota := f.Quota.Max24HourSend; quota >= 0 {
		limit = int64(quota - f.Quota.SentLast24Hours)
		worth = int64(quota) / rechecksADay
		reason = "the daily quota of the SES account is used up"
	}
	today := s.SentToday + s.Counts.Claimed
	if s.DoubtUntil.Add(24 * time.Hour).After(s.Now) {
		today += s.Counts.InDoubt // SES may have accepted them
	}
	if daily := f.Settings.DailyLimit; daily > 0 && daily-today < limit {
		limit = daily - today
		worth = daily / rechecksADay
		reason = "the campaign's dailyLimit is used up"
		if oldest := s.OldestToday.Add(24 * time.Hour); oldest.After(renews) {
			renews = oldest
		}
	}
	return limit, max(worth, 1), renews, reason
}

// batchSize keeps a sender at work for about batchTime, and gives every sender a batch.
func batchSize(rate float64, senders int, limit int64) int64 {
	size := int64(rate * batchTime.Seconds() / float64(senders))
	share := (limit + int64(senders) - 1) / int64(senders)
	return max(minBatch, min(size, share, maxBatch))
}

func trouble(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", reason)
}
