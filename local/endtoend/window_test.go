package endtoend

import (
	"testing"
	"time"
	_ "time/tzdata"

	"fanmail/local"
	"fanmail/local/ses"
)

// TestAWindowIsKeptWhenTheClocksChange mails on the eve of a change of the clocks until the window closes, and the rest on the day of
// the change, when it opens.
func TestAWindowIsKeptWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const n = 600
	// The window closes after some of them.
	const rate, before = 30, 8 * time.Second
	d := deploy(t, local.Options{MaxSendRate: rate})
	f := list(n)
	d.upload("spring", f.with("campaign.yaml", f["campaign.yaml"]+"window: {from: '09:00', to: '11:00', zone: Europe/Berlin}\n"))
	changes := clockChange(d.Now().In(zone))
	eve := changes.AddDate(0, 0, -1)
	d.move(at(eve, 8))
	execution := d.start("spring")
	if !d.waitsOrEnds(execution) {
		t.Fatal("it does not wait")
	}
	if until, reason := d.waitsFor(execution); !until.Equal(at(eve, 9)) || reason != "the send window is closed" || d.SES().Accepted() != 0 {
		t.Errorf("at 08:00 it has sent %d and waits until %s: %s", d.SES().Accepted(), until.In(zone), reason)
	}
	// The window has long been open; shortly after, it closes.
	d.advance(execution, at(eve, 11).Add(-before))
	if !d.waitsOrEnds(execution) {
		t.Fatal("it has sent everything: this test wants the window to close before")
	}
	first := d.times()
	if len(first) == 0 {
		t.Fatal("nothing was sent before the window closed: this test wants some")
	}
	if until, reason := d.waitsFor(execution); !until.Equal(at(changes, 9)) || reason != "the send window is closed" {
		t.Errorf("at 11:00 it waits until %s: %s", until.In(zone), reason)
	}
	t.Logf("%d were sent before the window closed, the last %s before", len(first), at(eve, 11).Sub(first[len(first)-1]))

	d.settings(fast)
	d.move(at(changes, 9).Add(-time.Second))
	d.auditSent("spring", d.succeed(execution), n)
	for i, accepted := range d.times() {
		opens, closes := at(eve, 9), at(eve, 11)
		if i >= len(first) {
			opens, closes = at(changes, 9), at(changes, 11)
		}
		if accepted.Before(opens) || !accepted.Before(closes) {
			t.Errorf("message %d was sent at %s, the window is from %s to %s", i+1, accepted.In(zone), opens, closes)
		}
	}
}

// clockChange is midnight before the clocks change next, on a day after tomorrow.
func clockChange(now time.Time) time.Time {
	for midnight := at(now, 0).AddDate(0, 0, 2); ; midnight = midnight.AddDate(0, 0, 1) {
		_, morning := midnight.Zone()
		if _, evening := midnight.AddDate(0, 0, 1).Zone(); morning != evening {
			return midnight
		}
	}
}

// at is an hour of a day.
func at(day time.Time, hour int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), hour, 0, 0, 0, day.Location())
}

func fast(s *ses.Settings) { s.MaxSendRate = 10_000 }
