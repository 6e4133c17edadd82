package forecast

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"fanmail/shared/budget"
	"fanmail/shared/campaign"
	"fanmail/shared/planner"
)

// plenty is a server that limits nothing.
var plenty = budget.Server{MaxConnections: 500, Reserved: 3, RoleLimit: 20}

// account is an SES account that nobody else uses.
func account(rate, quota float64) planner.Quota {
	return planner.Quota{MaxSendRate: rate, Max24HourSend: quota, SendingEnabled: true, Enforcement: "HEALTHY"}
}

// input begins on a Thursday at noon in UTC.
func input(n int64, quota planner.Quota) Input {
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	return Input{Recipients: n, Quota: quota, Asked: begin, Begin: begin, Zone: time.UTC, Senders: 10, Bound: 20, Server: plenty, SendTimeout: 5 * time.Minute}
}

// summary is what a table compares.
func summary(f Forecast) string {
	text := fmt.Sprintf("%d in %d waves, %d batches, %d senders, %d days, until %s", f.Sent, f.Waves, f.Batches, f.Senders, len(f.Days), f.End.Format("01-02 15:04"))
	if !f.Complete {
		text += ", incomplete"
	}
	if f.TooLong {
		text += ", too long"
	}
	if !f.EventsEnd.IsZero() {
		text += ", out of events " + f.EventsEnd.Format("01-02")
	}
	if trouble := f.Trouble(); trouble != "" {
		text += ": " + trouble
	}
	return text
}

func TestForecasts(t *testing.T) {
	window := func(from, to, zone string, days ...string) campaign.Campaign {
		return campaign.Campaign{Window: &campaign.Window{From: from, To: to, Zone: zone, Days: days}}
	}
	used := account(14, 50_000)
	used.SentLast24Hours = 48_000
	paused := account(14, 50_000)
	paused.SendingEnabled = false
	shut := account(14, 50_000)
	shut.Enforcement = "SHUTDOWN"
	few := plenty
	few.Others = few.MaxConnections - few.Reserved - few.Spare() - 12 // two are left for senders
	none := few
	none.Others += 2
	never := budget.Server{MaxConnections: 15, Reserved: 3, RoleLimit: -1}
	for _, test := range []struct {
		name string
		in   Input
		with func(*Input)
		want string
	}{
		{"tiny", input(2, account(14, 50_000)), nil, "2 in 1 waves, 1 batches, 1 senders, 1 days, until 11-26 12:00"},
		{"one", input(1, account(1, -1)), nil, "1 in 1 waves, 1 batches, 1 senders, 1 days, until 11-26 12:00"},
		{"nobody is left", input(0, account(14, 50_000)), nil, "0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00"},
		{"the example", input(197, account(14, 50_000)), nil, "197 in 1 waves, 1 batches, 1 senders, 1 days, until 11-26 12:00"},
		{"a million at 500 a second", input(1_000_000, account(500, -1)), nil,
			"1000000 in 1 waves, 1000 batches, 10 senders, 1 days, until 11-26 12:34"},
		{"a million at 100 a second takes three waves", input(1_000_000, account(100, -1)), nil,
			"1000000 in 3 waves, 1020 batches, 2 senders, 1 days, until 11-26 14:50"},
		{"six days of quota", input(300_000, account(500, 50_000)), nil,
			"300000 in 6 waves, 300 batches, 10 senders, 6 days, until 12-01 12:18"},
		{"a quota that other mail has used but for 2,000", input(40_000, used), nil,
			"40000 in 74 waves, 76 batches, 1 senders, 2 days, until 11-27 07:06"},
		{"other mail goes on", input(40_000, used), func(i *Input) { i.OtherMail = 48_000 },
			"40000 in 20 waves, 60 batches, 1 senders, 20 days, until 12-15 13:19"},
		{"other mail needs all", input(40_000, used), func(i *Input) { i.Quota.SentLast24Hours, i.OtherMail = 50_000, 50_000 },
			"0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00, incomplete, out of events 12-25"},
		{"dailyLimit", input(50_000, account(100, 500_000)), func(i *Input) { i.Settings.DailyLimit = 20_000 },
			"50000 in 3 waves, 50 batches, 2 senders, 3 days, until 11-28 12:31"},
		{"a rate of its own", input(36_000, account(500, -1)), func(i *Input) { i.Settings.Rate = 1 },
			"36000 in 10 waves, 609 batches, 1 senders, 1 days, until 11-26 22:00"},
		{"a rate above the account's", input(3_600, account(1, -1)), func(i *Input) { i.Settings.Rate = 50 },
			"3600 in 2 waves, 62 batches, 1 senders, 1 days, until 11-26 13:01"},
		{"few connections", input(1_000_000, account(500, -1)), func(i *Input) { i.Server = few },
			"1000000 in 3 waves, 1920 batches, 2 senders, 1 days, until 11-26 14:46"},
		{"no connection at the moment", input(100, account(500, -1)), func(i *Input) { i.Server = none },
			"0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00, incomplete, out of events 11-28"},
		{"never a connection", input(100, account(500, -1)), func(i *Input) { i.Server = never },
			"0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00, incomplete: no sender: of 15 connections 3 are reserved by the server, 0 are held by others, 5 are left to them as a spare, and 10 belong to the other functions of Fanmail; lower reservedConcurrency in functions.yml, or give the server or the role more connections, then start the campaign again"},
		{"paused", input(100, paused), nil,
			"0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00, incomplete: sending is paused for this SES account: enable it in the SES console, then start the campaign again"},
		{"shut down", input(100, shut), nil,
			"0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00, incomplete: Amazon SES has shut down sending for this account: see the account's reputation page in the SES console"},
		{"sandbox", input(1_000, account(1, 200)), nil,
			"1000 in 5 waves, 20 batches, 1 senders, 5 days, until 11-30 12:23"},
		{"quota of 0", input(1_000, account(14, 0)), nil,
			"0 in 0 waves, 0 batches, 0 senders, 0 days, until 11-26 12:00, incomplete, out of events 12-25"},
		{"longer than a year", input(100_000, account(1, 200)), nil,
			"72800 in 364 waves, 1456 batches, 1 senders, 365 days, until 11-25 18:30, incomplete, too long, out of events 12-25"},
		{"a window", input(60_000, account(10, -1)), func(i *Input) { i.Settings = window("13:00", "15:00", "UTC") },
			"60000 in 2 waves, 103 batches, 1 senders, 1 days, until 11-26 14:42"},
		{"a window on Mondays", input(60_000, account(10, -1)), func(i *Input) { i.Settings = window("13:00", "15:00", "UTC", "mon") },
			"60000 in 2 waves, 103 batches, 1 senders, 1 days, until 11-30 14:42"},
		{"a window over midnight", input(60_000, account(10, -1)), func(i *Input) { i.Settings = window("23:00", "01:00", "UTC") },
			"60000 in 2 waves, 103 batches, 1 senders, 2 days, until 11-27 00:42"},
		{"ten millions", input(10_000_000, account(200, 2_000_000)), nil,
			"10000000 in 95 waves, 10106 batches, 4 senders, 5 days, until 11-30 15:21"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.with != nil {
				test.with(&test.in)
			}
			f := Of(test.in)
			if got := summary(f); got != test.want {
				t.Errorf("got  %s\nwant %s\n%+v", got, test.want, f.Waits)
			}
		})
	}
}
