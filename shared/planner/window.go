package planner

import (
	"slices"
	"strings"
	"time"

	"fanmail/shared/campaign"
)

// windowAt returns when the send window is next open at or after now, and when that opening ends. Without a window both
// are zero: it is always open. The window is in local time of its zone, so it moves with daylight saving; a window whose
// to is before its from ends on the next day, and belongs to the day on which it began.
func windowAt(w *campaign.Window, now time.Time) (opens, closes time.Time) {
	if w == nil {
		return time.Time{}, time.Time{}
	}
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		// Prepare has checked the zone; a time zone database without it is no reason to mail at night.
		zone = time.UTC
	}
	local := now.In(zone)
	for day := -1; day <= 8; day++ {
		start := local.AddDate(0, 0, day)
		if !openOn(w.Days, start.Weekday()) {
			continue
		}
		opens, closes = at(start, w.From, zone), at(start, w.To, zone)
		if !closes.After(opens) {
			closes = at(start.AddDate(0, 0, 1), w.To, zone)
		}
		if closes.After(now) {
			return opens, closes
		}
	}
	return opens, closes
}

func openOn(days []string, day time.Weekday) bool {
	name := strings.ToLower(day.String()[:3])
	return len(days) == 0 || slices.ContainsFunc(days, func(d string) bool { return strings.EqualFold(d, name) })
}

// at is the time of day on the day; one that daylight saving skips is as much later as the clocks were put forward.
func at(day time.Time, clock string, zone *time.Location) time.Time {
	c, err := time.Parse("15:04", clock)
	if err != nil {
		// Prepare has checked the times of day.
		c = time.Time{}
	}
	t := time.Date(day.Year(), day.Month(), day.Day(), c.Hour(), c.Minute(), 0, 0, zone)
	skipped := time.Duration(c.Hour()-t.Hour())*time.Hour + time.Duration(c.Minute()-t.Minute())*time.Minute
	return t.Add(max(0, skipped))
}
