package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"fanmail/experiment"
)

// titles of the columns.
var titles = map[string]string{naiveName: "naive senders", fanmailName: "Fanmail"}

// rows are the lines of the table.
var rows = []struct {
	label string
	cell  func(*Result, Half) string
}{
	{"recipients", func(r *Result, _ Half) string { return experiment.Number(r.Recipients) }},
	{"mailed", func(_ *Result, h Half) string { return experiment.Number(h.Mailed) }},
	{"never mailed", func(r *Result, h Half) string { return experiment.Number(r.Recipients - h.Mailed) }},
	{"mailed twice", func(_ *Result, h Half) string { return experiment.Number(h.Doubled) }},
	{"connection errors", func(_ *Result, h Half) string { return experiment.Number(int64(h.Refused)) }},
	{"failed invocations", func(_ *Result, h Half) string {
		return experiment.Number(int64(h.FailedInvocations)) + " of " + experiment.Number(int64(h.Invocations))
	}},
	{"connections before", func(_ *Result, h Half) string { return strconv.Itoa(h.Before) }},
	{"connections at most", func(_ *Result, h Half) string {
		if h.Bound == 0 {
			return fmt.Sprintf("%d of %d slots", h.Peak, h.Slots)
		}
		return fmt.Sprintf("%d, bound %d", h.Peak, h.Bound)
	}},
	{"connections at the end", func(_ *Result, h Half) string { return strconv.Itoa(h.End) }},
	{"environments", func(_ *Result, h Half) string { return experiment.Number(int64(h.Environments)) }},
	{"other users turned away", func(_ *Result, h Half) string { return fmt.Sprintf("%d of %d visits", h.TurnedAway, h.Visits) }},
	{"seconds", func(_ *Result, h Half) string { return strconv.FormatFloat(h.Seconds, 'f', 1, 64) }},
	{"samples", func(_ *Result, h Half) string {
		return fmt.Sprintf("%s, longest gap %.2f s", experiment.Number(int64(len(h.Samples))), h.LongestGap)
	}},
}

// WriteTable writes the halves side by side.
func (r *Result) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, h := range r.Halves {
		fmt.Fprint(table, "\t", titles[h.Name])
	}
	fmt.Fprintln(table)
	for _, row := range rows {
		fmt.Fprint(table, row.label)
		for _, h := range r.Halves {
			fmt.Fprint(table, "\t", row.cell(r, h))
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, h := range r.Halves {
		for _, text := range slices.Sorted(maps.Keys(h.Said)) {
			fmt.Fprintf(w, "%s: PostgreSQL said %s times: %q\n", titles[h.Name], experiment.Number(int64(h.Said[text])), text)
		}
	}
	_, err := fmt.Fprintf(w, "%s; SES answers after %d ms; PostgreSQL %s with max_connections %d\n", r.Machine, r.LatencyMilliseconds, r.server(), r.MaxConnections)
	return err
}

func (r *Result) server() string {
	if len(r.Halves) == 0 {
		return ""
	}
	return r.Halves[0].Server
}
