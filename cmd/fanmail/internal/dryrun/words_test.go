package dryrun

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/shared/campaign"
)

func TestLengthsAreInTwoUnitsAtMost(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Second: "1 second", 14400 * time.Millisecond: "14 seconds", 119 * time.Second: "119 seconds", 2 * time.Minute: "2 minutes",
		20*time.Minute + 40*time.Second: "21 minutes", 119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours",
		2*time.Hour + time.Minute: "2 hours 1 minute", 47*time.Hour + 59*time.Minute + 40*time.Second: "2 days",
		5*24*time.Hour + 50*time.Minute: "5 days 1 hour",
	} {
		if got := length(d); got != want {
			t.Errorf("length(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestDollarsAreAsExactAsTheyMatter(t *testing.T) {
	for amount, want := range map[float64]string{0: "$0", 0.0001: "under $0.01", 0.03152: "$0.03", 48.213: "$48.21", 1234.5: "$1,235"} {
		if got := dollars(amount); got != want {
			t.Errorf("dollars(%v) = %q, want %q", amount, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 11, 26, 9, 41, 0, 0, zone)
	for _, test := range []struct {
		name        string
		n           int64
		rate, quota float64
		settings    campaign.Campaign
		change      func(*Facts)
		want        string
	}{
		{"tiny", 1, 14, 50_000, campaign.Campaign{}, nil, "1 recipient at 14/s: about 1 second, until 09:41; under $0.01"},
		{"short", 197, 14, 50_000, campaign.Campaign{}, nil, "197 recipients at 14/s: about 14 seconds, until 09:41; about $0.03"},
		{"over midnight", 900_000, 14, -1, campaign.Campaign{}, nil, "900,000 recipients at 14/s: about 18 hours 19 minutes, until Fri 2026-11-27 03:59 KST; about $"},
		{"a rate of its own", 1000, 14, -1, campaign.Campaign{Rate: 0.5}, nil, "1,000 recipients at 0.5/s: about 33 minutes, until 10:14; about $"},
		{"six days", 300_000, 50, 50_000, campaign.Campaign{}, nil, "300,000 recipients at 50,000 a day: 6 days, until Tue 2026-12-01 10:16 KST; about $"},
		{"a daily limit", 30_000, 50, 50_000, campaign.Campaign{DailyLimit: 10_000}, nil, "30,000 recipients at 10,000 a day: 3 days, until Sat 2026-11-28 10:14 KST; about $"},
		{"other mail", 30_000, 50, 50_000, campaign.Campaign{}, func(f *Facts) { f.OtherMail, f.Account.Quota.SentLast24Hours = 40_000, 40_000 },
			"30,000 recipients at 10,000 a day: 3 days, until"},
		{"a window", 1000, 14, -1, campaign.Campaign{Window: &campaign.Window{From: "20:00", To: "21:00", Zone: "Asia/Seoul"}}, nil,
			"1,000 recipients at 14/s from 20:00 to 21:00: about 10 hours 20 minutes, until 20:01; about $"},
		{"few senders", 100_000, 500, -1, campaign.Campaign{}, func(f *Facts) { f.Server.RoleLimit, f.serverKnown = 12, true },
			"100,000 recipients at 100/s: about 17 minutes, until 09:57; about $"},
		{"more than a year", 100_000, 14, 100, campaign.Campaign{}, nil, "100,000 recipients at 100 a day: longer than a year; 36,500 until "},
		{"never", 100, 14, 0, campaign.Campaign{}, nil, "100 recipients at 0 a day: nobody would be mailed (the daily quota of the SES account is used up)"},
		{"paused", 100, 14, 200, campaign.Campaign{}, func(f *Facts) { f.Account.Quota.SendingEnabled = false }, "100 recipients at 14/s: it would stop: sending is paused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := None()
			a.Rate, a.Quota, a.Region = test.rate, test.quota, "us-east-1"
			facts, err := Assume(a)
			if err != nil {
				t.Fatal(err)
			}
			facts.Asked = begin
			if test.change != nil {
				test.change(&facts)
			}
			checked := &folder.Result{Campaign: "spring-sale", Recipients: test.n, Settings: &test.settings}
			r := New(checked)
			if err := r.Simulate(facts, begin, zone); err != nil {
				t.Fatal(err)
			}
			if got := r.Line(); !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
