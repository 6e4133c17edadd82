// Package when reads from the command line when a campaign is to start, and shows moments.
package when

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"fanmail/shared/schedule"
)

// Flags are what the user wrote.
type Flags struct{ At, Cron, Every, Zone string }

// Given tells whether a schedule is wanted.
func (f Flags) Given() bool { return f.At != "" || f.Cron != "" || f.Every != "" }

// Time is when a campaign is to start.
type Time struct {
	Expression schedule.Expression
	// Zone is the IANA name of the expression's time zone.
	Zone string
	// Every is the time between two runs of a rate.
	Every time.Duration
}

// OneTime tells whether it starts once.
func (t Time) OneTime() bool { return t.Expression.OneTime() }

// Read makes the schedule of the flags. The error has a line for every problem.
func Read(f Flags, getenv func(string) string) (Time, error) {
	var t Time
	var problems []error
	if f.Zone == "" {
		var err error
		if f.Zone, err = localZone(getenv, "/etc/localtime"); err != nil {
			return t, err
		}
	}
	zone, err := schedule.Zone(f.Zone)
	if err != nil {
		problems = append(problems, fmt.Errorf("--zone: %w", err))
		zone = time.UTC // the expression is checked all the same
	}
	t.Zone = f.Zone
	text, err := f.expression()
	if err == nil {
		t.Expression, err = schedule.Parse(text, zone)
	}
	if err != nil {
		problems = append(problems, err)
	}
	if err == nil && f.Every != "" {
		t.Every = interval(t.Expression)
	}
	return t, errors.Join(problems...)
}

// expression is the flags' as Scheduler writes it.
func (f Flags) expression() (string, error) {
	var given []string
	for _, flag := range []struct{ name, value string }{{"--at", f.At}, {"--cron", f.Cron}, {"--every", f.Every}} {
		if flag.value != "" {
			given = append(given, flag.name)
		}
	}
	switch {
	case len(given) > 1:
		return "", fmt.Errorf("%s together: give one of them", strings.Join(given, " and "))
	case f.At != "":
		return at(f.At)
	case f.Cron != "":
		return wrap("cron", f.Cron), nil
	}
	return every(f.Every)
}

func at(text string) (string, error) {
	wall, err := wallTime(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "at("), ")"))
	return wall.Format("at(" + schedule.AtLayout + ")"), err
}

// wallTime is what the clock on the wall shows at --at, as if it were UTC.
func wallTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime, "2006-01-02T15:04", schedule.AtLayout} {
		if wall, err := time.Parse(layout, text); err == nil {
			return wall, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q: write the local time as '2026-12-01 09:00', and its zone as --zone Europe/Berlin",
		text)
}

// Begin is the moment of --at, and the zone of --zone. Without --at it is now, without --zone the zone is this
// machine's.
func Begin(at, zone string, now time.Time) (begin time.Time, where *time.Location, err error) {
	where = time.Local
	if zone != "" {
		if where, err = schedule.Zone(zone); err != nil {
			return now, time.Local, fmt.Errorf("--zone: %w", err)
		}
	}
	if at == "" {
		return now, where, nil
	}
	wall, err := wallTime(at)
	if err == nil {
		begin, err = schedule.Moment(wall, where)
	}
	if err == nil && begin.Before(now) {
		err = fmt.Errorf("--at %q is in the past: it is %s", at, now.In(where).Format("2006-01-02 15:04 MST"))
	}
	return begin, where, err
}

var shortDays = regexp.MustCompile(`^([0-9]+)d$`)

// every is a rate: as Scheduler writes it, or as 7d, 36h or 90m.
func every(text string) (string, error) {
	if shortDays.MatchString(text) {
		return wrap("rate", strings.TrimSuffix(text, "d")+" days"), nil
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return wrap("rate", text), nil // Scheduler's own form, or nothing at all: Parse tells
	case d < time.Minute || d%time.Minute != 0:
		return "", fmt.Errorf("--every %s: Scheduler counts whole minutes, 1m or more", text)
	}
	return fmt.Sprintf("rate(%d minutes)", d/time.Minute), nil
}

func wrap(kind, text string) string {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, kind+"(") && strings.HasSuffix(text, ")") {
		return text
	}
	return kind + "(" + text + ")"
}

// interval is the time between two moments of a rate.
func interval(e schedule.Expression) time.Duration {
	begin := time.Unix(0, 0)
	next, _ := e.Next(begin, begin)
	return next.Sub(begin)
}

// localZone is the IANA name of this machine's time zone: TZ, or where /etc/localtime leads.
func localZone(getenv func(string) string, file string) (string, error) {
	name := strings.TrimPrefix(getenv("TZ"), ":")
	if name == "" {
		switch target, err := filepath.EvalSymlinks(file); {
		case errors.Is(err, os.ErrNotExist):
			return "UTC", nil
		case err == nil:
			_, name, _ = strings.Cut(filepath.ToSlash(target), "zoneinfo/")
		}
	}
	if _, err := schedule.Zone(name); err != nil {
		return "", errors.New("the name of this machine's time zone is not known: give --zone, such as --zone Europe/Berlin")
	}
	return name, nil
}

// Show writes a moment in the zone of a schedule, and in this machine's if that shows something else.
func Show(moment time.Time, zone string) string {
	const layout = "Mon 2006-01-02 15:04:05 MST"
	text := moment.Local().Format(layout)
	location, err := schedule.Zone(zone)
	if err != nil {
		return text
	}
	there := moment.In(location).Format(layout)
	if !strings.HasSuffix(there, " "+zone) { // that of UTC names it already
		there += " (" + zone + ")"
	}
	if moment.In(location).Format(layout) == text {
		return there
	}
	return there + ", here " + text
}
