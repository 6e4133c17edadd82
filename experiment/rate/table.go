package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"fanmail/experiment"
)

// WriteTable writes the result for a reader.
func (r *Result) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	row := func(label, format string, args ...any) { fmt.Fprintf(table, label+"\t"+format+"\n", args...) }
	row("campaigns", "2 of %s recipients, at once", experiment.Number(r.Recipients))
	row("senders that mailed", "%d of %d", r.Senders, r.WantedSenders)
	row("mailed", "%s of %s", experiment.Number(r.Mailed), experiment.Number(2*r.Recipients))
	row("mailed twice", "%s", experiment.Number(r.Doubled))
	row("SES's limit", "%v per second", r.Limit)
	row("most in one second", "%d", r.Most)
	row("windows above the limit", "%s of %s", experiment.Number(int64(r.Over)), experiment.Number(int64(r.Windows)))
	row("throttled by SES", "%s", experiment.Number(r.Refused))
	row("rate", "%.2f per second (%+.1f %% of the limit) over %.1f s", r.Rate, 100*r.off(), r.SteadySeconds)
	for _, reason := range slices.Sorted(maps.Keys(r.GivenBack)) {
		row("given back", "%s: %s", experiment.Number(r.GivenBack[reason]), reason)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if c := r.Change; c != nil {
		fmt.Fprintf(w, "\nSES's limit changes while a campaign of %s is mailed: %s mailed, %s of them twice, %s throttled\n",
			experiment.Number(c.Recipients), experiment.Number(c.Mailed), experiment.Number(c.Doubled), experiment.Number(c.Refused))
		table = tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		fmt.Fprintln(table, "limit\tseconds\trate\trate in the second half\tthrottled")
		for _, p := range c.Phases {
			fmt.Fprintf(table, "%v\t%.1f\t%.1f\t%.1f\t%s\n", p.Limit, p.Seconds, p.Rate, p.Settled, experiment.Number(p.Refused))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s; %s before, %s after; SES answers after %d ms\n", r.Machine, r.LoadBefore, r.LoadAfter, r.LatencyMilliseconds)
	return err
}
