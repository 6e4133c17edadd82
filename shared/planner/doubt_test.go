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
		{"grace is over, but nothing proves it", campaign.Prove, 20 * time.Minute, false, workflow.NextWait, grace/graceRechecks + doubtMargin, true},
		{"grace is over twice", campaign.Prove, 30 * time.Minute, false, workflow.NextFinish, 0, false},
		{"sent again after the grace period", campaign.Resend, time.Minute, false, workflow.NextWait, 14*time.Minute + doubtMargin, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := base()
			facts.Grace, facts.Settings.InDoubt = grace, test.rule
			facts.Standing.Counts = ledger.Counts{Sent: 990, InDoubt: 10}
			facts.Standing.DoubtUntil, facts.Standing.Witnessed = noon.Add(-test.since), test.witnessed
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
