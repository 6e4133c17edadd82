package planner

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fanmail/shared/budget"
	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// base is a campaign of 1,000 pending recipients on a healthy account of 100/s.
func base() Facts {
	return Facts{
		Standing: ledger.Standing{
			Campaign: ledger.Campaign{Name: "spring-sale", State: ledger.Running, Recipients: 1000, SettledBefore: -1},
			Counts:   ledger.Counts{Pending: 1000}, Now: noon,
		},
		Quota:   Quota{Max24HourSend: 50_000, MaxSendRate: 100, SendingEnabled: true, Enforcement: "HEALTHY"},
		Senders: 10, Bound: 18, Server: budget.Server{MaxConnections: 100, Reserved: 3, RoleLimit: 18},
	}
}

func TestDecide(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Facts)
		want   workflow.Next
		reason string
		check  func(*testing.T, Decision)
	}{
		{"pending recipients are sent", nil, workflow.NextSend, "2 senders: the rate needs 2, the deployment allows 10, the server 10", func(t *testing.T, d Decision) {
			if d.Limit != 1000 || d.Senders != 2 || d.BatchSize != 500 || !d.Until.Equal(noon.Add(waveLength)) {
				t.Errorf("%+v", d)
			}
		}},
		{"nothing pending is finished", func(f *Facts) { f.Standing.Counts = ledger.Counts{Sent: 1000} }, workflow.NextFinish, "sent", nil},
		{"claims under way are waited for", func(f *Facts) {
			f.Standing.Counts = ledger.Counts{Sent: 990, Claimed: 10}
			f.Standing.ClaimedUntil = noon.Add(time.Minute)
		}, workflow.NextWait, "may still be at work", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(time.Minute + doubtMargin)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"paused", func(f *Facts) { f.Standing.Campaign.State = ledger.Paused }, workflow.NextFinish, "paused", nil},
		{"halted", func(f *Facts) { f.Standing.Campaign.State = ledger.Halted }, workflow.NextFinish, "halted", nil},
		{"cancelled", func(f *Facts) { f.Standing.Campaign.State = ledger.Cancelled }, workflow.NextFinish, "cancelled", nil},
		{"account shut down", func(f *Facts) { f.Quota.Enforcement = "SHUTDOWN" }, workflow.NextFinish, "shut down", halts},
		{"sending paused", func(f *Facts) { f.Quota.SendingEnabled = false }, workflow.NextFinish, "paused for this SES account", halts},
		{"an account shut down does not spoil a finished campaign", func(f *Facts) {
			f.Quota.Enforcement = "SHUTDOWN"
			f.Standing.Counts = ledger.Counts{Sent: 1000}
		}, workflow.NextFinish, "sent", nil},
		{"the wave keeps to the daily quota", func(f *Facts) { f.Quota.SentLast24Hours = 49_400 }, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Limit != 600 {
				t.Errorf("limit %d, want 600", d.Limit)
			}
		}},
		{"a server without a free slot is waited for", func(f *Facts) { f.Server.Others = 80 }, workflow.NextWait, "no sender", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(slotRecheck)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"a short list occupies few senders", func(f *Facts) {
			f.Quota.MaxSendRate = 10_000
			f.Standing.Counts.Pending = 101
		}, workflow.NextSend, "10 senders: the deployment allows no more", func(t *testing.T, d Decision) {
			if d.Senders != 3 {
				t.Errorf("senders %d, want 3", d.Senders)
			}
		}},
		{"a trickle of the daily quota is not worth a wave", func(f *Facts) { f.Quota.SentLast24Hours = 49_700 }, workflow.NextWait, "daily quota", nil},
		{"but the last few recipients are", func(f *Facts) {
			f.Quota.SentLast24Hours = 49_700
			f.Standing.Counts = ledger.Counts{Sent: 800, Pending: 200}
		}, workflow.NextSend, "", nil},
		{"a wave lists no more than the rate allows within it", func(f *Facts) {
			f.Quota.MaxSendRate = 14
			f.Quota.Max24HourSend = -1
			f.Standing.Counts.Pending = 10_000_000
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Limit != 14*3600+1 {
				t.Errorf("limit %d, want %d", d.Limit, 14*3600+1)
			}
		}},
		{"a wave that the quota ended is waited out", func(f *Facts) { endEarly(f, ledger.ByQuota, noon) }, workflow.NextWait, "ended the last wave early", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(recheck)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"after that, it does not count as fruitless", func(f *Facts) { endEarly(f, ledger.ByQuota, noon.Add(-recheck)) }, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Fruitless != 0 {
				t.Errorf("fruitless %d, want 0", d.Fruitless)
			}
		}},
		{"a wave that trouble ended does", func(f *Facts) { endEarly(f, ledger.ByTrouble, noon.Add(-recheck)) }, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Fruitless != 1 {
				t.Errorf("fruitless %d, want 1", d.Fruitless)
			}
		}},
		{"an answer of Plan that was lost is no fruitless wave", func(f *Facts) {
			f.Standing.Campaign.SettledBefore, f.Standing.Campaign.Waves = 0, 1
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Fruitless != 0 {
				t.Errorf("fruitless %d, want 0", d.Fruitless)
			}
		}},
		{"daily quota used up", func(f *Facts) { f.Quota.SentLast24Hours = 50_000 }, workflow.NextWait, "daily quota", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(recheck)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"no daily quota", func(f *Facts) { f.Quota.Max24HourSend = -1; f.Quota.SentLast24Hours = 1e9 }, workflow.NextSend, "", nil},
		{"dailyLimit used up", func(f *Facts) {
			f.Settings.DailyLimit = 500
			f.Standing.SentToday, f.Standing.OldestToday = 500, noon.Add(-20*time.Hour)
		}, workflow.NextWait, "dailyLimit", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(4 * time.Hour)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"dailyLimit partly used", func(f *Facts) {
			f.Settings.DailyLimit = 500
			f.Standing.SentToday, f.Standing.OldestToday = 400, noon.Add(-20*time.Hour)
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Limit != 100 {
				t.Errorf("limit %d, want 100", d.Limit)
			}
		}},
		{"who may have been mailed counts for the dailyLimit", func(f *Facts) {
			f.Settings.DailyLimit = 500
			f.Standing.SentToday, f.Standing.OldestToday = 400, noon.Add(-20*time.Hour)
			f.Standing.Counts.Claimed, f.Standing.ClaimedUntil = 20, noon.Add(time.Minute)
			f.Standing.Counts.InDoubt, f.Standing.DoubtUntil = 30, noon.Add(-time.Hour)
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Limit != 50 {
				t.Errorf("limit %d, want 50", d.Limit)
			}
		}},
		{"an old doubt does not count for the dailyLimit", func(f *Facts) {
			f.Settings.DailyLimit = 500
			f.Standing.Counts.InDoubt, f.Standing.DoubtUntil = 600, noon.Add(-25*time.Hour)
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Limit != 500 {
				t.Errorf("limit %d, want 500", d.Limit)
			}
		}},
		{"window closed", func(f *Facts) { f.Settings.Window = &campaign.Window{From: "14:00", To: "15:00", Zone: "UTC"} }, workflow.NextWait, "window", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(2 * time.Hour)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"the wave ends just before the window closes", func(f *Facts) { f.Settings.Window = &campaign.Window{From: "09:00", To: "12:30", Zone: "UTC"} }, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(30*time.Minute - lastCall)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"the window is about to close", func(f *Facts) {
			f.Settings.Window = &campaign.Window{From: "09:00", To: "12:00", Zone: "UTC"}
			f.Standing.Now = noon.Add(-lastCall)
		}, workflow.NextWait, "window", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon.Add(21 * time.Hour)) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"the window is about to open", func(f *Facts) {
			f.Settings.Window = &campaign.Window{From: "12:00", To: "13:00", Zone: "UTC"}
			f.Standing.Now = noon.Add(-lastCall / 2)
		}, workflow.NextWait, "window", func(t *testing.T, d Decision) {
			if !d.Until.Equal(noon) {
				t.Errorf("until %v", d.Until)
			}
		}},
		{"one fruitless wave is forgiven", func(f *Facts) {
			f.Standing.Counts.Sent, f.Standing.Campaign.SettledBefore = 5, 5
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Fruitless != 1 {
				t.Errorf("fruitless %d, want 1", d.Fruitless)
			}
		}},
		{"progress forgives", func(f *Facts) {
			f.Standing.Counts.Sent, f.Standing.Campaign.SettledBefore, f.Standing.Campaign.Fruitless = 6, 5, 1
		}, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Fruitless != 0 {
				t.Errorf("fruitless %d, want 0", d.Fruitless)
			}
		}},
		{"the campaign's rate counts when it is lower", func(f *Facts) { f.Quota.MaxSendRate = 1000; f.Settings.Rate = 50 }, workflow.NextSend, "", func(t *testing.T, d Decision) {
			if d.Senders != 1 {
				t.Errorf("senders %d, want 1", d.Senders)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := base()
			if test.change != nil {
				test.change(&facts)
			}
			got, err := Decide(facts)
			if err != nil {
				t.Fatal(err)
			}
			if got.Next != test.want || !strings.Contains(got.Reason, test.reason) {
				t.Fatalf("next %s (%s), want %s (%s)", got.Next, got.Reason, test.want, test.reason)
			}
			if test.check != nil {
				test.check(t, got)
			}
		})
	}
}

// endEarly makes the last wave one that settled nobody and was ended by its senders.
func endEarly(f *Facts, by ledger.EndedBy, at time.Time) {
	c := &f.Standing.Campaign
	c.SettledBefore, c.Waves, c.EndedWave, c.EndedBy, c.WaveEndedAt = 0, 1, 1, by, at
	f.LastWave = 1
}

func halts(t *testing.T, d Decision) {
	if !d.Halt {
		t.Error("the campaign is not halted")
	}
}

func TestAServerThatIsTooSmallForTheDeploymentEndsTheCampaign(t *testing.T) {
	facts := base()
	facts.Server = budget.Server{MaxConnections: 16, Reserved: 3, Others: 2, RoleLimit: -1}
	_, err := Decide(facts)
	var failed *workflow.DatabaseFailed
	if !errors.As(err, &failed) || !strings.Contains(failed.Message, "lower reservedConcurrency") {
		t.Fatalf("error %v, want DatabaseFailed that says what to do", err)
	}
}

func TestTwoFruitlessWavesEndTheCampaignWithTheReason(t *testing.T) {
	facts := base()
	facts.Standing.Counts.Sent, facts.Standing.Campaign.SettledBefore, facts.Standing.Campaign.Fruitless = 5, 5, 1
	facts.Standing.Trouble = "connection refused"
	// What SES answered may be over in a while.
	if d, err := Decide(facts); err != nil || d.Next != workflow.NextWait || !d.Trouble || !d.Until.Equal(noon.Add(recheck)) {
		t.Fatalf("%+v, %v; want to wait a while first", d, err)
	}
	c := &facts.Standing.Campaign
	c.EndedWave, c.EndedBy, c.WaveEndedAt = c.Waves, ledger.ByTrouble, noon.Add(-recheck)
	_, err := Decide(facts)
	var stuck *workflow.CampaignStuck
	if !errors.As(err, &stuck) || !strings.Contains(stuck.Message, "connection refused") {
		t.Fatalf("error %v, want CampaignStuck with the reason", err)
	}
}

func TestBatchSize(t *testing.T) {
	for _, test := range []struct {
		rate    float64
		senders int
		limit   int64
		want    int64
	}{
		{14, 1, 1_000_000, 840},
		{1, 1, 1_000_000, 60},
		{0.1, 1, 1_000_000, minBatch},
		{10_000, 10, 1_000_000, maxBatch},
		{10_000, 10, 2_000, 200},
		{10_000, 10, 20, minBatch},
	} {
		if got := batchSize(test.rate, test.senders, test.limit); got != test.want {
			t.Errorf("%v/s, %d senders, %d recipients: batches of %d, want %d", test.rate, test.senders, test.limit, got, test.want)
		}
	}
}
