package planner

import (
	"testing"
	"time"
	_ "time/tzdata"

	"fanmail/shared/campaign"
)

func TestWindowAt(t *testing.T) {
	office := campaign.Window{From: "09:00", To: "18:00", Days: []string{"mon", "tue", "wed", "thu", "fri"}, Zone: "Asia/Seoul"}
	night := campaign.Window{From: "22:00", To: "02:00", Zone: "UTC"}
	friday := campaign.Window{From: "22:00", To: "02:00", Days: []string{"fri"}, Zone: "UTC"}
	newYork := campaign.Window{From: "02:30", To: "04:00", Zone: "America/New_York"}
	for _, test := range []struct {
		name          string
		window        campaign.Window
		now           string
		opens, closes string
	}{
		{"within", office, "2026-11-23T03:00:00Z", "2026-11-23T00:00:00Z", "2026-11-23T09:00:00Z"},
		{"before, the same day", office, "2026-11-22T23:30:00Z", "2026-11-23T00:00:00Z", "2026-11-23T09:00:00Z"},
		{"at the very end it is closed", office, "2026-11-23T09:00:00Z", "2026-11-24T00:00:00Z", "2026-11-24T09:00:00Z"},
		{"over the weekend", office, "2026-11-27T10:00:00Z", "2026-11-30T00:00:00Z", "2026-11-30T09:00:00Z"},
		{"over midnight, before it", night, "2026-11-23T23:00:00Z", "2026-11-23T22:00:00Z", "2026-11-24T02:00:00Z"},
		{"over midnight, after it", night, "2026-11-24T01:00:00Z", "2026-11-23T22:00:00Z", "2026-11-24T02:00:00Z"},
		{"over midnight, by day", night, "2026-11-24T12:00:00Z", "2026-11-24T22:00:00Z", "2026-11-25T02:00:00Z"},
		{"the day is that of the beginning", friday, "2026-11-28T01:00:00Z", "2026-11-27T22:00:00Z", "2026-11-28T02:00:00Z"},
		{"a week later", friday, "2026-11-28T02:00:00Z", "2026-12-04T22:00:00Z", "2026-12-05T02:00:00Z"},
		// On 2026-03-08 New York's clocks go from 02:00 to 03:00; on 2026-11-01 from 02:00 back to 01:00.
		{"daylight saving begins", newYork, "2026-03-08T05:00:00Z", "2026-03-08T07:30:00Z", "2026-03-08T08:00:00Z"},
		{"daylight saving has begun", newYork, "2026-03-09T05:00:00Z", "2026-03-09T06:30:00Z", "2026-03-09T08:00:00Z"},
		{"daylight saving ends", newYork, "2026-11-01T05:00:00Z", "2026-11-01T07:30:00Z", "2026-11-01T09:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, test.now)
			if err != nil {
				t.Fatal(err)
			}
			opens, closes := windowAt(&test.window, now)
			if got := opens.UTC().Format(time.RFC3339); got != test.opens {
				t.Errorf("opens %s, want %s", got, test.opens)
			}
			if got := closes.UTC().Format(time.RFC3339); got != test.closes {
				t.Errorf("closes %s, want %s", got, test.closes)
			}
		})
	}
}

func TestWithoutAWindowItIsAlwaysOpen(t *testing.T) {
	if opens, closes := windowAt(nil, noon); !opens.IsZero() || !closes.IsZero() {
		t.Errorf("opens %v, closes %v", opens, closes)
	}
}
