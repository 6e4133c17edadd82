package planner

import (
	"strings"
	"testing"
	"time"

	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestACampaignWithNobodyLeftWaitsForWhatIsInDoubt(t *testing.T) {
	const grace = 15 * time.Minute
	for _, test := range []struct {
		name  string
		rule  campaign.DoubtRule
		since time.Duration // since when the last claim has run out
		// witnessed: an event of a later message has arrived.
		witnessed bool
		want      workflow.Next
		until     time.Duration
		probe     bool
	}{
		{"held", campaign.Hold, 0, false, workflow.NextFinish, 0, false},
		{"just now", campaign.Prove, 0, false, workflow.NextWait, grace + doubtMargin, true},
		{"just now, events arrive", campaign.Prove, 0, true, workflow.NextWait, grace + doubtMargin, false},
		{"a campaign of before the rule", "", 0, false, workflow.NextWait, grace + doubtMargin, true},
		{"grace is nearly over", campaign.Prove, 14 * time.Minute, true, workflow.NextWait, grace/graceRechecks + doubtMargin, false},
		{"grace is over, but nothing proves it", campaign.Prove, 20 * time.Minute, false, workflow.NextWait, grace/graceRechecks + doubtMargin, false},
		{"grace is over twice", campaign.Prove, 30 * time.Minute, false, workflow.NextFinish, 0, false},
		{"sent again after the grace period", campaign.Resend, time.Minute, false, workflow.NextWait, 14*time.Minute + doubtMargin, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := base()
			facts.Grace, facts.Settings.InDoubt = grace, test.rule
			facts.Standing.Counts = ledger.Counts{Sent: 990, InDoubt: 10}
			facts.Standing.DoubtUntil, facts.Standing.Witnessed = noon.Add(-test.since), test.witnessed
			facts.Standing.Campaign.DoubtedAt = facts.Standing.DoubtUntil
			// Whatever SES says: nobody is mailed.
			facts.Quota = Quota{}
			got, err := Decide(facts)
			if err != nil {
				t.Fatal(err)
			}
			if got.Next != test.want || got.Probe != test.probe || !strings.Contains(got.Reason, "10 recipients") {
				t.Errorf("next %s (%s), probe %v; want %s, probe %v", got.Next, got.Reason, got.Probe, test.want, test.probe)
			}
			if test.want == workflow.NextWait && !got.Until.Equal(noon.Add(test.until)) {
				t.Errorf("until %v, want %v from now", got.Until, test.until)
			}
		})
	}
}

func TestWhatHasBeenInDoubtForLongIsLookedAtTwiceBeforeItIsHeld(t *testing.T) {
	const grace = 15 * time.Minute
	for _, test := range []struct {
		name    string
		doubted time.Time
		want    workflow.Next
	}{
		{"found just now", time.Time{}, workflow.NextWait},
		{"found a while ago", noon.Add(-grace / 4), workflow.NextWait},
		{"found long ago", noon.Add(-grace / 2), workflow.NextFinish},
	} {
		facts := base()
		facts.Grace, facts.Settings.InDoubt = grace, campaign.Prove
		facts.Standing.Counts = ledger.Counts{Sent: 990, InDoubt: 10}
		facts.Standing.DoubtUntil, facts.Standing.Campaign.DoubtedAt = noon.Add(-24*time.Hour), test.doubted
		if got, err := Decide(facts); err != nil || got.Next != test.want || got.Probe || got.Doubt != (test.want == workflow.NextWait) {
			t.Errorf("%s: %+v, %v; want %s", test.name, got, err, test.want)
		}
	}
}

func TestALongWaitIsCutShortForWhatIsOrWillBeInDoubt(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Facts)
		until  time.Duration
		probe  bool
	}{
		{"nothing is in doubt", nil, 21 * time.Hour, false},
		{"claims run out", func(f *Facts) {
			f.Standing.Counts.Claimed, f.Standing.ClaimedUntil = 1, noon.Add(time.Minute)
		}, time.Minute + doubtMargin, false},
		{"claims have run out", func(f *Facts) {
			f.Standing.Counts.InDoubt, f.Standing.DoubtUntil = 1, noon.Add(-time.Minute)
		}, 21 * time.Hour, true},
		{"claims have run out, and a later event has arrived", func(f *Facts) {
			f.Standing.Counts.InDoubt, f.Standing.DoubtUntil, f.Standing.Witnessed = 1, noon.Add(-time.Minute), true
		}, 21 * time.Hour, false},
		{"claims have run out long ago", func(f *Facts) {
			f.Standing.Counts.InDoubt, f.Standing.DoubtUntil = 1, noon.Add(-time.Hour)
		}, 21 * time.Hour, false},
		{"claims run out, but the rule is to hold", func(f *Facts) {
			f.Settings.InDoubt = campaign.Hold
			f.Standing.Counts.Claimed, f.Standing.ClaimedUntil = 1, noon.Add(time.Minute)
		}, 21 * time.Hour, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := base()
			facts.Grace = 15 * time.Minute
			facts.Settings.Window = &campaign.Window{From: "09:00", To: "11:00", Zone: "UTC"}
			if test.change != nil {
				test.change(&facts)
			}
			got, err := Decide(facts)
			if err != nil || got.Next != workflow.NextWait || !got.Until.Equal(noon.Add(test.until)) || got.Probe != test.probe {
				t.Errorf("%+v, %v; want to wait %v, probe %v", got, err, test.until, test.probe)
			}
		})
	}
}
