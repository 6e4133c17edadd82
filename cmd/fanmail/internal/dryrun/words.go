package dryrun

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/forecast"
)

// Line is the forecast in one line.
func (r *Result) Line() string {
	f := r.Forecast
	start := fmt.Sprintf("%s at %s", terminal.Counted(r.Pending, "recipient", "recipients"), r.pace())
	cost := roughly(r.Cost.Dollars)
	switch {
	case f.Trouble() != "":
		return fmt.Sprintf("%s: it would stop: %s", start, f.Trouble())
	case f.Sent == 0 && !f.Complete:
		return fmt.Sprintf("%s: nobody would be mailed (%s)", start, r.reason())
	case !f.Complete:
		return fmt.Sprintf("%s: longer than a year; %s until %s; %s", start, terminal.Number(f.Sent), r.date(f.End),
			cost)
	case r.Long() && len(f.Days) > 1:
		return fmt.Sprintf("%s: %d days, until %s; %s", start, r.calendarDays(), r.date(f.End), cost)
	}
	end := f.End.In(r.zone).Format("15:04")
	if sameDay := f.Begin.In(r.zone).Format(time.DateOnly) == f.End.In(r.zone).Format(time.DateOnly); !sameDay {
		end = r.date(f.End)
	}
	return fmt.Sprintf("%s: about %s, until %s; %s", start, length(f.End.Sub(f.Begin)), end, cost)
}

// pace is what a reader calls the speed: so many a day where days have a limit that counts, else so many a second.
func (r *Result) pace() string {
	words := perSecond(r.rate()) + "/s"
	if limit, _ := r.dayLimit(); limit < float64(r.Pending) {
		words = terminal.Number(int64(limit)) + " a day"
	}
	if w := r.Window; w != nil {
		words += fmt.Sprintf(" from %s to %s", w.From, w.To)
	}
	return words
}

// rate is the one that the account and the campaign ask for, or what the senders can do where that is clearly less.
func (r *Result) rate() float64 {
	rate := r.Quota.MaxSendRate
	if own := r.checked.Settings.Rate; own > 0 {
		rate = min(rate, own)
	}
	if possible := r.Forecast.Rate; possible > 0 && possible < 0.97*rate {
		return possible
	}
	return rate
}

// dayLimit is how many may be sent to in 24 hours, and by whose rule.
func (r *Result) dayLimit() (limit float64, rule string) {
	limit = math.Inf(1)
	if r.Quota.Max24HourSend >= 0 {
		limit, rule = max(r.Quota.Max24HourSend-r.OtherMail, 0), "the account's quota"
	}
	if daily := float64(r.DailyLimit); daily > 0 && daily < limit {
		limit, rule = daily, "the campaign's dailyLimit"
	}
	return limit, rule
}

// reason is what the campaign waits for the longest.
func (r *Result) reason() (reason string) {
	longest := -1.0
	for _, wait := range r.Forecast.Waits {
		if wait.Seconds > longest {
			reason, longest = wait.Reason, wait.Seconds
		}
	}
	return reason
}

// calendarDays is how many days the campaign touches, those without mail included.
func (r *Result) calendarDays() int {
	at := func(t time.Time) time.Time {
		y, m, d := t.In(r.zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(at(r.Forecast.End).Sub(at(r.Forecast.Begin)).Hours()/24) + 1
}

func perSecond(rate float64) string {
	if rate >= 10 {
		return terminal.Number(int64(math.Round(rate)))
	}
	return strconv.FormatFloat(math.Round(rate*100)/100, 'f', -1, 64)
}

// length is a duration for a reader: two units at most.
func length(d time.Duration) string {
	count := func(n int64, unit string) string { return terminal.Counted(n, unit, unit+"s") }
	two := func(first int64, unit string, second int64, smaller string) string {
		if second == 0 {
			return count(first, unit)
		}
		return count(first, unit) + " " + count(second, smaller)
	}
	seconds := max(int64(math.Round(d.Seconds())), 1)
	minutes := (seconds + 30) / 60
	switch {
	case seconds < 120:
		return count(seconds, "second")
	case minutes < 120:
		return count(minutes, "minute")
	case minutes < 48*60:
		return two(minutes/60, "hour", minutes%60, "minute")
	}
	hours := (minutes + 30) / 60
	return two(hours/24, "day", hours%24, "hour")
}

// roughly is an amount that is an estimate.
func roughly(amount float64) string {
	if words := dollars(amount); strings.HasPrefix(words, "under") {
		return words
	}
	return "about " + dollars(amount)
}

// dollars is an amount for a reader.
func dollars(amount float64) string {
	switch {
	case amount == 0:
		return "$0"
	case amount < 0.01:
		return "under $0.01"
	case amount < 100:
		return fmt.Sprintf("$%.2f", amount)
	}
	return "$" + terminal.Number(int64(math.Round(amount)))
}

// Rows are the forecast as a table.
func (r *Result) Rows() [][]string {
	f := r.Forecast
	rows := [][]string{
		{"campaign", r.Campaign}, {"recipients", terminal.Number(r.Recipients)}, {"rejected lines",
			terminal.Number(r.Rejected)},
	}
	for _, g := range r.Rejects {
		rows = append(rows,
			[]string{"  " + g.Reason, fmt.Sprintf("%s, first: line %d", terminal.Number(g.Count), g.Line)})
	}
	switch {
	case r.Resumes:
		rows = append(rows, []string{"pending", terminal.Number(r.Pending) + ": the campaign has begun already"})
	case r.Suppressed != nil:
		rows = append(rows, []string{"suppressed", terminal.Number(*r.Suppressed)})
	default:
		rows = append(rows, []string{"suppressed", "not known"})
	}
	rows = append(rows, []string{"pace", r.pace()}, []string{"quota", r.quota()})
	if r.DailyLimit > 0 {
		rows = append(rows, []string{"daily limit", terminal.Number(r.DailyLimit) + " recipients per 24 hours"})
	}
	rows = append(rows, []string{"begins", r.date(f.Begin)})
	if f.Sent > 0 {
		end := []string{"ends", "about " + r.date(f.End) + ", after " + length(f.End.Sub(f.Begin))}
		if !f.Complete {
			end = []string{"stops", fmt.Sprintf("about %s, after %s of them", r.date(f.End), terminal.Number(f.Sent))}
		}
		rows = append(rows, end)
	}
	for _, wait := range f.Waits {
		rows = append(rows, []string{"waits",
			fmt.Sprintf("%s: %s", length(time.Duration(wait.Seconds*float64(time.Second))), wait.Reason)})
	}
	rows = append(rows, r.dayRows()...)
	rows = append(rows,
		[]string{"waves", terminal.Number(int64(f.Waves))}, []string{"batches", terminal.Number(f.Batches)},
		[]string{"senders", cmp.Or(f.SendersReason, "none")}, []string{"connections", r.connections()},
		[]string{"execution", fmt.Sprintf("about %s events, of %s that it may have",
			terminal.Number(int64(f.Events)), terminal.Number(forecast.MaxEvents))})
	rows = append(rows, r.costRows()...)
	for _, note := range r.Notes {
		rows = append(rows, []string{"note", note})
	}
	return rows
}

func (r *Result) quota() string {
	q := r.Quota
	if q.Max24HourSend < 0 {
		return "none"
	}
	number := func(n float64) string { return terminal.Number(int64(max(n, 0))) }
	return fmt.Sprintf("%s recipients per 24 hours, of which %s are left and other mail has used %s",
		number(q.Max24HourSend), number(q.Max24HourSend-q.SentLast24Hours), number(q.SentLast24Hours))
}

// shownDays is how many days a table has a row for.
const shownDays = 10

func (r *Result) dayRows() (rows [][]string) {
	days := r.Forecast.Days
	if len(days) < 2 {
		return nil
	}
	rows = append(rows, []string{"days", fmt.Sprintf("mail goes out on %d", len(days))})
	for i, day := range days {
		if i == shownDays && len(days) > shownDays+1 {
			last := days[len(days)-1]
			return append(rows,
				[]string{"  ...", fmt.Sprintf("%d more, the last is %s", len(days)-shownDays, last.Date)})
		}
		rows = append(rows, []string{"  " + day.Date, terminal.Number(day.Recipients)})
	}
	return rows
}

func (r *Result) connections() string {
	words := fmt.Sprintf("%d at most, of a bound of %d", r.Forecast.Connections, r.Forecast.Bound)
	if r.Allowed != nil {
		words += fmt.Sprintf("; the server has %d for Fanmail", max(*r.Allowed, 0))
	}
	return words
}

func (r *Result) costRows() [][]string {
	c := r.Cost
	rows := [][]string{{"cost", fmt.Sprintf("%s: an estimate by prices of %s, "+
		"without taxes, free tiers, the database and the network of a VPC", roughly(c.Dollars), c.PricesDate)}}
	for _, item := range c.Items {
		uses := make([]string, len(item.Uses))
		for i, use := range item.Uses {
			uses[i] = terminal.Number(int64(math.Ceil(use.Quantity))) + " " + use.Unit
		}
		rows = append(rows, []string{"  " + item.Service, dollars(item.Dollars) + ": " + strings.Join(uses, ", ")})
	}
	if len(c.StandIns) > 0 {
		words := fmt.Sprintf("those of %s, because the Region is not known (AWS_REGION)", c.PricesOf)
		if c.Region != "" {
			words = fmt.Sprintf("those of %s stand in for those of %s: %s", c.PricesOf, c.Region,
				strings.Join(c.StandIns, ", "))
		}
		rows = append(rows, []string{"  prices", words})
	}
	for _, unknown := range c.Unknown {
		rows = append(rows, []string{"  not known", unknown})
	}
	return rows
}
