package forecast

import (
	"math/rand/v2"
	"testing"
	"time"

	"fanmail/shared/campaign"
)

// TestWhatIsForecastKeepsEveryLimit looks into simulations of random campaigns after every step.
func TestWhatIsForecastKeepsEveryLimit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		in := input(1+random.Int64N(100_000), account(float64(1+random.IntN(200)), float64(500+random.IntN(50_000))))
		in.Quota.SentLast24Hours = float64(random.IntN(int(in.Quota.Max24HourSend)))
		in.OtherMail = float64(random.IntN(int(in.Quota.Max24HourSend) / 2))
		if random.IntN(2) == 0 {
			in.Settings.DailyLimit = int64(500 + random.IntN(20_000))
		}
		if random.IntN(2) == 0 {
			in.Settings.Rate = float64(1 + random.IntN(100))
		}
		if random.IntN(2) == 0 {
			in.Settings.Window = &campaign.Window{From: "22:30", To: "02:30", Zone: "Europe/Berlin"}
		}
		s := begin(in)
		var all []stretch
		for s.step() && s.now.Sub(in.Begin) < 40*day {
			if s.out.Waves == len(all) {
				continue
			}
			last := s.sent[len(s.sent)-1]
			all = append(all, last)
			since, own := last.to.Add(-day), 0.0
			for _, stretch := range all {
				own += stretch.after(since)
			}
			// A recipient is counted as a whole, at either end. Other mail of the account may take a share while a
			// wave is under way.
			taken := in.OtherMail * last.to.Sub(last.from).Seconds() / day.Seconds()
			if quota := in.Quota.Max24HourSend; own+s.others() > quota+taken+2 {
				t.Fatalf("campaign %d: %v and %v of others are sent in 24 hours, the quota is %v", i, own, s.others(), quota)
			}
			if limit := in.Settings.DailyLimit; limit > 0 && own > float64(limit)+1 {
				t.Fatalf("campaign %d: %v are sent in 24 hours, the daily limit is %d", i, own, limit)
			}
			if rate := last.n / last.to.Sub(last.from).Seconds(); rate > in.Quota.MaxSendRate || in.Settings.Rate > 0 && rate > in.Settings.Rate+1e-6 {
				t.Fatalf("campaign %d: %v a second", i, rate)
			}
			if in.Settings.Window != nil && (!inside(last.from) || !inside(last.to.Add(-time.Second))) {
				t.Fatalf("campaign %d: from %s to %s is not in its window", i, last.from, last.to)
			}
		}
		f, days := s.end(), int64(0)
		for _, day := range f.Days {
			days += day.Recipients
		}
		if days != f.Sent || f.Sent+s.pending != in.Recipients || f.Sent == 0 {
			t.Fatalf("campaign %d: %d on all days, %d sent, %d pending of %d", i, days, f.Sent, s.pending, in.Recipients)
		}
	}
}

// inside tells whether t is from 22:30 to 02:30 in Berlin.
func inside(t time.Time) bool {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	clock := t.In(zone).Format("15:04")
	return clock >= "22:30" || clock < "02:30"
}

// TestAWindowIsForecastOverTheChangeOfTheClocks: from 01:30 to 03:30 is one hour in spring, and three in autumn.
func TestAWindowIsForecastOverTheChangeOfTheClocks(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		eve         time.Time
		first, then int64
	}{
		{time.Date(2027, 3, 27, 12, 0, 0, 0, zone), 3_599, 7_199},
		{time.Date(2026, 10, 24, 12, 0, 0, 0, zone), 10_799, 7_199},
	} {
		in := input(20_000, account(1.025, -1)) // one a second
		in.Begin, in.Asked, in.Zone = test.eve, test.eve, zone
		in.Settings.Window = &campaign.Window{From: "01:30", To: "03:30", Zone: "Europe/Berlin"}
		f := Of(in)
		// A turn between two waves of an hour is not used.
		near := func(got, want int64) bool { return got <= want+3 && got >= want-3 }
		if len(f.Days) < 2 || !near(f.Days[0].Recipients, test.first) || !near(f.Days[1].Recipients, test.then) {
			t.Errorf("on the eve at %s: %+v", test.eve, f.Days)
		}
	}
}

func TestAForecastIsInTheZoneOfItsReader(t *testing.T) {
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	in := input(36_000, account(1.025, -1))
	in.Zone = seoul // noon in UTC is 21:00
	f := Of(in)
	if len(f.Days) != 2 || f.Days[0].Date != "2026-11-26" || f.Days[1].Date != "2026-11-27" {
		t.Errorf("got %+v", f.Days)
	}
	if n := f.Days[0].Recipients; n < 10_790 || n > 10_810 {
		t.Errorf("%d go out in the three hours before midnight", n)
	}
}

// BenchmarkAYear is a campaign of ten million recipients that would take longer than a year.
func BenchmarkAYear(b *testing.B) {
	in := input(10_000_000, account(14, 20_000))
	in.Settings.Window = &campaign.Window{From: "08:00", To: "20:00", Zone: "Asia/Seoul"}
	for b.Loop() {
		if f := Of(in); !f.TooLong {
			b.Fatal("it does not take a year")
		}
	}
}
