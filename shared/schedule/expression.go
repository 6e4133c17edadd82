// Package schedule knows the expressions of EventBridge Scheduler, at(), rate() and cron(), and the moments at which
// they fire in a time zone.
//
// No library fits: those for Unix and Quartz allow what Scheduler refuses, and move the 30th of February to March.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// AtLayout is how at() writes the local time.
const AtLayout = "2006-01-02T15:04:05"

// Expression is a schedule expression in its time zone.
type Expression struct {
	text  string
	zone  *time.Location
	at    time.Time     // of at()
	every time.Duration // of rate()
	cron  *cron
}

// Zone finds a time zone by its IANA name. Scheduler has no "Local".
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is no time zone: write its IANA name, such as Europe/Berlin, Asia/Seoul or UTC",
			name)
	}
	return zone, nil
}

// Parse reads at(2026-12-01T09:00:00), rate(7 days) or cron(0 9 ? * MON *). The error has a line for every problem.
func Parse(text string, zone *time.Location) (Expression, error) {
	e := Expression{text: text, zone: zone}
	kind, inside, ok := strings.Cut(strings.TrimSpace(text), "(")
	inside, closed := strings.CutSuffix(inside, ")")
	var err error
	switch {
	case ok && closed && kind == "at":
		e.at, err = parseAt(inside, zone)
	case ok && closed && kind == "rate":
		e.every, err = parseRate(inside)
	case ok && closed && kind == "cron":
		e.cron, err = parseCron(inside)
	default:
		err = fmt.Errorf("%q is no schedule expression: write at(2026-12-01T09:00:00), rate(7 days) or cron(0 9 ? * MON *)",
			text)
	}
	return e, err
}

func (e Expression) String() string { return e.text }

// OneTime tells whether the expression fires once only.
func (e Expression) OneTime() bool { return !e.at.IsZero() }

// Next is the first moment after another at which the expression fires; false when there is none. begin is the first
// moment of a rate(), which counts from it, and the earliest of a cron().
func (e Expression) Next(after, begin time.Time) (time.Time, bool) {
	switch {
	case e.OneTime():
		return e.at, e.at.After(after)
	case e.every > 0:
		if after.Before(begin) {
			return begin.In(e.zone), true
		}
		// A day is 24 hours, also where the clocks change.
		return begin.Add((after.Sub(begin)/e.every + 1) * e.every).In(e.zone), true
	}
	if earlier := begin.Add(-time.Nanosecond); after.Before(earlier) {
		after = earlier
	}
	for wall := wallOf(after, e.zone); ; {
		var ok bool
		if wall, ok = e.cron.next(wall); !ok {
			return time.Time{}, false
		}
		// A local time that does not exist is left out, and one that comes twice fires the first time.
		if at, err := Moment(wall, e.zone); err == nil && at.After(after) {
			return at, true
		}
	}
}

func parseAt(text string, zone *time.Location) (time.Time, error) {
	wall, err := time.Parse(AtLayout, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("at(%s): write the local time as at(2026-12-01T09:00:00)", text)
	}
	return Moment(wall, zone)
}

// longestRate is far above what anybody means, and below where a Duration overflows.
const longestRate = 100 * 365 * 24 * time.Hour

var ratePattern = regexp.MustCompile(`^([0-9]{1,9}) +(minutes?|hours?|days?)$`)

func parseRate(text string) (time.Duration, error) {
	parts := ratePattern.FindStringSubmatch(strings.TrimSpace(text))
	if parts == nil {
		return 0, fmt.Errorf("rate(%s): write a number of minutes, hours or days, as rate(7 days)", text)
	}
	n, err := strconv.Atoi(parts[1])
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[parts[2][0]]
	if err != nil || n < 1 || time.Duration(n) > longestRate/unit {
		return 0, fmt.Errorf("rate(%s): the number must be 1 or more, and the time not above 100 years", text)
	}
	return time.Duration(n) * unit, nil
}

// wallOf is what the clock on the wall shows in a zone, as if it were UTC.
func wallOf(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), time.UTC)
}

// ErrNoSuchTime is Moment's answer for a local time that the clocks leap over.
var ErrNoSuchTime = errors.New("there is no such local time: the clocks go forward over it")

// Moment is when the clock on the wall shows a time in a zone: the first moment, where it shows it twice.
func Moment(wall time.Time, zone *time.Location) (time.Time, error) {
	naive := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, time.UTC)
	var first time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		_, offset := naive.Add(near).In(zone).Zone()
		at := naive.Add(-time.Duration(offset) * time.Second).In(zone)
		if wallOf(at, zone).Equal(naive) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return time.Time{}, fmt.Errorf("%s in %s: %w", naive.Format("2006-01-02 15:04"), zone, ErrNoSuchTime)
	}
	return first, nil
}

// Twice tells whether the clock on the wall shows the same time again within a few hours, because it was set back.
func Twice(at time.Time) bool {
	_, now := at.Zone()
	_, later := at.Add(24 * time.Hour).Zone()
	again := at.Add(time.Duration(now-later) * time.Second)
	return now > later && wallOf(again, at.Location()).Equal(wallOf(at, at.Location()))
}
