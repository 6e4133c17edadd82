package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"fanmail/experiment"
)

// WriteTable writes the result for a reader.
func (r *Result) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range []struct{ label, cell string }{
		{"recipients", experiment.Number(r.Recipients)},
		{"mails", experiment.Number(r.Mails)},
		{"lost", experiment.Number(r.Lost)},
		{"mailed twice", experiment.Number(r.Doubled)},
		{"strangers", experiment.Number(r.Strangers)},
		{"in doubt", experiment.Number(r.InDoubt)},
		{"ledger and mailbox disagree", experiment.Number(r.Disagreements)},
		{"senders killed", experiment.Number(r.Faults.Kills)},
		{"runtime killed and restarted", strconv.Itoa(r.Restarts)},
		{"throttles", experiment.Number(r.Faults.Throttles)},
		{"internal errors of SES", experiment.Number(r.Faults.InternalErrors)},
		{"lost answers of SES", experiment.Number(r.Faults.LostAnswers)},
		{"database sessions terminated", experiment.Number(r.Faults.Terminations)},
		{"events delayed", experiment.Number(r.Faults.EventsDelayed)},
		{"events doubled", experiment.Number(r.Faults.EventsDoubled)},
		{"deliveries doubled", experiment.Number(r.Faults.DeliveredTwice)},
		{"in doubt until an event came", experiment.Number(r.DoubtSettled)},
		{"in doubt until disproved", experiment.Number(r.DoubtDisproved)},
		{"executions started", strconv.Itoa(r.Executions)},
		{"waves", strconv.Itoa(r.Waves)},
		{"seconds", strconv.FormatFloat(r.Seconds, 'f', 1, 64)},
	} {
		fmt.Fprintf(table, "%s\t%s\n", row.label, row.cell)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nchanges of a recipient's state")
	table = tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, t := range r.Transitions {
		drawn := "in the diagram"
		if !t.Drawn {
			drawn = "NOT in the diagram"
		}
		fmt.Fprintf(table, "%s --> %s\t%s\t%s\n", t.From, t.To, experiment.Number(t.Recipients), drawn)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, failure := range r.Failures {
		fmt.Fprintln(w, "started again after:", failure)
	}
	if len(r.Problems()) == 0 {
		fmt.Fprintln(w, "\nNobody was lost, and nobody was mailed twice.")
	}
	_, err := fmt.Fprintf(w, "\n%s; SES at %.0f recipients per second; seed %d\n", r.Machine, r.Rate, r.Seed)
	return err
}
