package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cron is the fields of a cron(): minutes hours day-of-month month day-of-week year.
type cron struct {
	minutes, hours, months, years []int
	// day tells whether a day is meant, of all days of the months and years.
	day func(date time.Time) bool
}

const lastYear = 2199

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

// field is a field of a cron(): its name, the values that it may have, and names of them, of the first on.
type field struct {
	name     string
	low, top int
	names    []string
}

var (
	minutesField    = field{"minutes", 0, 59, nil}
	hoursField      = field{"hours", 0, 23, nil}
	dayOfMonthField = field{"day-of-month", 1, 31, nil}
	monthField      = field{"month", 1, 12, monthNames}
	dayOfWeekField  = field{"day-of-week", 1, 7, dayNames}
	yearField       = field{"year", 1970, lastYear, nil}
)

// parseCron reads the six fields. The error has a line for every field that is wrong.
func parseCron(text string) (*cron, error) {
	fields := strings.Fields(strings.ToUpper(text))
	if len(fields) != 6 {
		return nil, fmt.Errorf("cron(%s) has %d fields: write minutes, hours, day-of-month, month, day-of-week and year, as cron(0 9 ? * MON *)",
			text, len(fields))
	}
	c := &cron{}
	var problems []error
	read := func(f field, text string) []int {
		values, err := f.read(text)
		if err != nil {
			problems = append(problems, err)
		}
		return values
	}
	c.minutes, c.hours = read(minutesField, fields[0]), read(hoursField, fields[1])
	c.months, c.years = read(monthField, fields[3]), read(yearField, fields[5])
	var err error
	switch ofMonth, ofWeek := fields[2], fields[4]; {
	case (ofMonth == "?") == (ofWeek == "?"):
		err = fmt.Errorf("cron: the day-of-month is %q and the day-of-week %q: exactly one of them must be ?",
			ofMonth, ofWeek)
	case ofWeek == "?":
		c.day, err = dayOfMonth(ofMonth)
	default:
		c.day, err = dayOfWeek(ofWeek)
	}
	return c, errors.Join(append(problems, err)...)
}

// read gives the values of a field, sorted: *, numbers and names, ranges, steps, and lists of these.
func (f field) read(text string) ([]int, error) {
	var values []int
	for _, item := range strings.Split(text, ",") {
		span, step, stepped := strings.Cut(item, "/")
		from, to, ranged := strings.Cut(span, "-")
		low, ok := f.value(from)
		top, by := low, 1
		switch {
		case from == "*" && !ranged:
			low, top, ok = f.low, f.top, true
		case ranged:
			var good bool
			top, good = f.value(to)
			ok = ok && good && low <= top
		case stepped:
			top = f.top
		}
		if stepped {
			var err error
			by, err = strconv.Atoi(step)
			ok = ok && err == nil && by >= 1 && by <= f.top
		}
		if !ok {
			return nil, f.problem(text)
		}
		for v := low; v <= top; v += by {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return slices.Compact(values), nil
}

func (f field) value(text string) (int, bool) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.low + i, true
	}
	v, err := strconv.ParseUint(text, 10, 16)
	return int(v), err == nil && int(v) >= f.low && int(v) <= f.top
}

func (f field) problem(text string) error {
	values := fmt.Sprintf("%d-%d", f.low, f.top)
	if len(f.names) > 0 {
		values += " or " + f.names[0] + "-" + f.names[len(f.names)-1]
	}
	special := map[string]string{dayOfMonthField.name: ", or one of L, LW and 15W",
		dayOfWeekField.name: ", or one of L, 6L and 6#3"}[f.name]
	return fmt.Errorf("cron: the %s %q: write *, values of %s, upward ranges (a-b), steps (a/n), or a list of these with commas%s",
		f.name, text, values, special)
}

// dayOfMonth reads days, L (the last day), LW (the last weekday) or nW (the weekday nearest to the n-th, in the same
// month).
func dayOfMonth(text string) (func(time.Time) bool, error) {
	if text == "L" {
		return func(d time.Time) bool { return d.Day() == lastOf(d) }, nil
	}
	if number, ok := strings.CutSuffix(text, "W"); ok {
		n, good := dayOfMonthField.value(number)
		if !good && number != "L" {
			return nil, dayOfMonthField.problem(text)
		}
		return func(d time.Time) bool {
			wanted := lastOf(d)
			if number != "L" && n <= wanted {
				wanted = n
			} else if number != "L" {
				return false // there is no n-th in this month
			}
			return d.Day() == nearestWeekday(d, wanted)
		}, nil
	}
	values, err := dayOfMonthField.read(text)
	return func(d time.Time) bool { return slices.Contains(values, d.Day()) }, err
}

// dayOfWeek reads days, L (the last of the week, Saturday), 6L (the last Friday of the month) or 6#3 (its third
// Friday).
func dayOfWeek(text string) (func(time.Time) bool, error) {
	is := func(d time.Time, value int) bool { return int(d.Weekday())+1 == value }
	if text == "L" {
		return func(d time.Time) bool { return d.Weekday() == time.Saturday }, nil
	}
	if day, ok := strings.CutSuffix(text, "L"); ok {
		if value, good := dayOfWeekField.value(day); good {
			return func(d time.Time) bool { return is(d, value) && d.Day() > lastOf(d)-7 }, nil
		}
	}
	if day, number, ok := strings.Cut(text, "#"); ok {
		value, good := dayOfWeekField.value(day)
		n, err := strconv.Atoi(number)
		if !good || err != nil || n < 1 || n > 5 {
			return nil, dayOfWeekField.problem(text)
		}
		return func(d time.Time) bool { return is(d, value) && (d.Day()-1)/7+1 == n }, nil
	}
	values, err := dayOfWeekField.read(text)
	return func(d time.Time) bool { return slices.Contains(values, int(d.Weekday())+1) }, err
}

// lastOf is the last day of the month of a date.
func lastOf(d time.Time) int { return time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func nearestWeekday(d time.Time, day int) int {
	switch weekday := time.Date(d.Year(), d.Month(), day, 0, 0, 0, 0, time.UTC).Weekday(); {
	case weekday == time.Saturday && day > 1:
		return day - 1
	case weekday == time.Saturday:
		return day + 2
	case weekday == time.Sunday && day < lastOf(d):
		return day + 1
	case weekday == time.Sunday:
		return day - 2
	}
	return day
}

// next is the first time after another, both as a clock on the wall shows them; false when there is none.
func (c *cron) next(after time.Time) (time.Time, bool) {
	from := after.Truncate(time.Minute).Add(time.Minute)
	hour, minute := from.Hour(), from.Minute()
	for date := from.Truncate(24 * time.Hour); date.Year() <= lastYear; date = date.AddDate(0, 0, 1) {
		if slices.Contains(c.years, date.Year()) && slices.Contains(c.months, int(date.Month())) && c.day(date) {
			for _, h := range c.hours {
				for _, m := range c.minutes {
					if h > hour || h == hour && m >= minute {
						return date.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute), true
					}
				}
			}
		}
		hour, minute = 0, 0
	}
	return time.Time{}, false
}
