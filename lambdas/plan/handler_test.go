package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanmail/local/ses"
	"fanmail/shared/campaign"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestTheManifestHasOneBatchPerLine(t *testing.T) {
	f := newFixture(t, 120, campaign.Campaign{})
	out, err := f.plan(t)
	check(t, err)
	if out.Next != workflow.NextSend || out.Wave != 1 || out.MaxConcurrency != 3 || !strings.HasPrefix(out.Reason, "10 senders") {
		t.Errorf("answer %+v, want wave 1 with 3 senders for 120 recipients", out)
	}
	const folder = "work/spring-sale/spring-sale-1/"
	if out.Manifest != (workflow.Object{Bucket: bucket, Key: folder + "wave-0001.jsonl"}) || out.Results != (workflow.Object{Bucket: bucket, Key: folder + "wave-0001-results"}) {
		t.Errorf("manifest %+v, results %+v", out.Manifest, out.Results)
	}
	want := `{"number":1,"first":1,"last":50,"pending":50}
{"number":2,"first":51,"last":100,"pending":50}
{"number":3,"first":101,"last":120,"pending":20}
`
	if got := f.manifest(t, out.Manifest); got != want {
		t.Errorf("manifest\n%swant\n%s", got, want)
	}
	if c := f.campaign(t); c.Waves != 1 || c.Batches != 3 || c.SettledBefore != 0 {
		t.Errorf("campaign %+v, want 1 wave with 3 batches that begins with nobody settled", c)
	}
	if until := time.Until(out.Until); until <= 0 || until > time.Hour {
		t.Errorf("the wave ends in %v, want within an hour", until)
	}
}

func TestTheNextWaveTakesWhatIsLeft(t *testing.T) {
	f := newFixture(t, 120, campaign.Campaign{})
	_, err := f.plan(t)
	check(t, err)
	f.settle(t, 60)
	out, err := f.plan(t)
	check(t, err)
	if out.Wave != 2 || !strings.HasSuffix(out.Manifest.Key, "/wave-0002.jsonl") {
		t.Errorf("answer %+v, want wave 2", out)
	}
	want := "{\"number\":1,\"first\":61,\"last\":110,\"pending\":50}\n{\"number\":2,\"first\":111,\"last\":120,\"pending\":10}\n"
	if got := f.manifest(t, out.Manifest); got != want {
		t.Errorf("manifest\n%swant\n%s", got, want)
	}
	if c := f.campaign(t); c.Waves != 2 || c.Batches != 5 || c.SettledBefore != 60 || c.Fruitless != 0 {
		t.Errorf("campaign %+v, want 2 waves with 5 batches", c)
	}
}

func TestAWaveClaimsNoMoreThanIsLeftOfTheDay(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings campaign.Campaign
		account  float64
		last     int
	}{
		{"the account's quota", campaign.Campaign{}, 70, 70},
		{"the campaign's dailyLimit", campaign.Campaign{DailyLimit: 60}, 70, 60},
		{"a list smaller than both", campaign.Campaign{DailyLimit: 600}, 700, 120},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, 120, test.settings)
			_, err := f.mailbox.Change(func(s *ses.Settings) error { s.Max24HourSend = test.account; return nil })
			check(t, err)
			out, err := f.plan(t)
			check(t, err)
			if manifest := f.manifest(t, out.Manifest); !strings.Contains(manifest, fmt.Sprintf(`"last":%d,`, test.last)) || strings.Contains(manifest, fmt.Sprintf(`"first":%d,`, test.last+1)) {
				t.Errorf("manifest\n%swant it to end with recipient %d", manifest, test.last)
			}
		})
	}
}

func TestTheSendersKeepTheSlowerPace(t *testing.T) {
	f := newFixture(t, 120, campaign.Campaign{Rate: 20})
	out, err := f.plan(t)
	check(t, err)
	if out.MaxConcurrency != 1 {
		t.Errorf("%d senders for 20 a second, want 1", out.MaxConcurrency)
	}
	var rates []float64
	check(t, f.db.NewRaw("select rate from fanmail.pace order by rate").Scan(t.Context(), &rates))
	if fmt.Sprint(rates) != "[20 1000]" {
		t.Errorf("paces %v, want 20 for the campaign and 1,000 for the account", rates)
	}
}

func TestPlanWaits(t *testing.T) {
	later := time.Now().UTC().Add(2 * time.Hour)
	for _, test := range []struct {
		name     string
		settings campaign.Campaign
		change   func(t *testing.T, f *fixture)
		reason   string
		least    time.Duration
		most     time.Duration
	}{
		{"for the account's quota", campaign.Campaign{}, func(t *testing.T, f *fixture) {
			_, err := f.mailbox.Change(func(s *ses.Settings) error { s.Max24HourSend = 0; return nil })
			check(t, err)
		}, "daily quota", 10 * time.Minute, 15 * time.Minute},
		{"for the campaign's dailyLimit", campaign.Campaign{DailyLimit: 1}, func(t *testing.T, f *fixture) {
			f.settle(t, 1)
		}, "dailyLimit", 23 * time.Hour, 24 * time.Hour},
		{"for the window", campaign.Campaign{Window: &campaign.Window{From: later.Format("15:04"), To: later.Add(time.Hour).Format("15:04"), Zone: "UTC"}}, nil,
			"window", 110 * time.Minute, 2 * time.Hour},
		{"for claims under way", campaign.Campaign{}, func(t *testing.T, f *fixture) {
			f.exec(t, "update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now() + interval '1 hour'")
		}, "2 recipients are claimed", 50 * time.Minute, time.Hour + time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, 2, test.settings)
			if test.change != nil {
				test.change(t, f)
			}
			out, err := f.plan(t)
			check(t, err)
			until := time.Until(out.Until)
			if out.Next != workflow.NextWait || !strings.Contains(out.Reason, test.reason) || until < test.least || until > test.most {
				t.Errorf("answer %+v, want to wait for the %s between %v and %v from now", out, test.reason, test.least, test.most)
			}
			if out.Wave != 0 || f.campaign(t).Waves != 0 || out.Manifest.Key != "" {
				t.Errorf("answer %+v after %d waves, want no wave", out, f.campaign(t).Waves)
			}
		})
	}
}

func TestAnAccountThatMayNotSendHaltsTheCampaign(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	_, err := f.mailbox.Change(func(s *ses.Settings) error { s.SendingEnabled = false; return nil })
	check(t, err)
	out, err := f.plan(t)
	check(t, err)
	c := f.campaign(t)
	if out.Next != workflow.NextFinish || c.State != ledger.Halted || c.Reason != out.Reason || !strings.Contains(out.Reason, "sending is paused") {
		t.Errorf("answer %+v; the campaign is %s because of %q; want it halted because sending is paused", out, c.State, c.Reason)
	}
}

func TestACampaignWithNothingLeftFinishesWithoutAskingSES(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	f.account = refuse
	for _, test := range []struct{ name, change, reason string }{
		{"all settled", "update fanmail.recipient set state = 'skipped'", "sent"},
		{"in doubt", "update fanmail.recipient set state = 'claimed', claim = gen_random_uuid(), claimed_until = now() - interval '1 hour'", "sent, but 1 recipients are held in doubt"},
		{"paused", "update fanmail.campaign set state = 'paused'", "paused"},
		{"halted", "update fanmail.campaign set state = 'halted'", "halted"},
		{"cancelled", "update fanmail.campaign set state = 'cancelled'", "cancelled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.exec(t, "update fanmail.recipient set state = 'pending', claim = null, claimed_until = null")
			f.exec(t, "update fanmail.campaign set doubted_at = now() - interval '1 hour'")
			f.exec(t, test.change)
			out, err := f.plan(t)
			if err != nil || out.Next != workflow.NextFinish || out.Reason != test.reason || f.asked != 0 {
				t.Errorf("answer %+v, %v after %d calls of SES; want to finish: %s", out, err, f.asked, test.reason)
			}
		})
	}
}

// refuse answers GetAccount as IAM does when a permission is missing.
func refuse(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprint(w, `{"message": "not authorized to perform: ses:GetAccount"}`)
}

func TestAnAccountThatCannotBeReadIsAnErrorThatSaysSo(t *testing.T) {
	f := newFixture(t, 1, campaign.Campaign{})
	f.account = refuse
	_, err := f.plan(t)
	if err == nil || !strings.HasPrefix(err.Error(), "reading the quota of the SES account: ") || !strings.Contains(err.Error(), "not authorized to perform: ses:GetAccount") {
		t.Errorf("got %v, want what was being done and AWS's reason", err)
	}
	if c := f.campaign(t); c.State != ledger.Running || c.Waves != 0 {
		t.Errorf("the campaign is %s after %d waves, want it running and unchanged", c.State, c.Waves)
	}
}

func TestAnExecutionThatLostTheCampaignPlansNothing(t *testing.T) {
	const takeOver = "update fanmail.campaign set execution = 'another'"
	for _, test := range []struct {
		name string
		lose func(t *testing.T, f *fixture)
	}{
		{"before the plan", func(t *testing.T, f *fixture) { f.exec(t, takeOver) }},
		{"while the manifest is written", func(t *testing.T, f *fixture) { f.onWrite = func() { f.exec(t, takeOver) } }},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, 1, campaign.Campaign{})
			test.lose(t, f)
			_, err := f.plan(t)
			if _, ok := err.(*workflow.CampaignBusy); !ok {
				t.Errorf("got %T %v, want CampaignBusy", err, err)
			}
			if c := f.campaign(t); c.Waves != 0 {
				t.Errorf("the campaign of the other execution has %d waves, want 0", c.Waves)
			}
		})
	}
}
