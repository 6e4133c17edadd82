package main

import (
	"fmt"
	"strings"
	"time"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/cmd/fanmail/internal/when"
	"fanmail/shared/schedule"
	"fanmail/shared/storage"
)

// shown is a schedule as --json prints it.
type shown struct {
	Name       string `json:"name"`
	Expression string `json:"expression"`
	Zone       string `json:"zone"`
	// Next is when it starts next; nil when that is over, or not known.
	Next *time.Time `json:"next"`
	// Campaign is what it starts next.
	Campaign  string `json:"campaign,omitempty"`
	Recurring bool   `json:"recurring"`
	// Folder is what it reads: frozen/... is what was checked, campaigns/... the folder as it then stands.
	Folder          string         `json:"folder,omitempty"`
	Checked         *cloud.Checked `json:"checked,omitempty"`
	MaxDelaySeconds int64          `json:"maxDelaySeconds"`
	DeadLetterQueue string         `json:"deadLetterQueue,omitempty"`
	// Foreign says why it is not a schedule of `fanmail start`.
	Foreign string `json:"foreign,omitempty"`
}

func show(s cloud.Schedule, now time.Time) shown {
	out := shown{
		Name: s.Name, Expression: s.Expression, Zone: s.Zone, Campaign: s.Input.Campaign, Recurring: s.Input.ScheduledTime != "",
		Folder: s.Input.Folder, MaxDelaySeconds: int64(s.MaxDelay / time.Second), Foreign: s.Foreign,
	}
	if !s.Checked.At.IsZero() {
		out.Checked = &s.Checked
	}
	if zone, err := schedule.Zone(s.Zone); err == nil {
		begin := s.Begin
		if begin.IsZero() {
			begin = s.Created
		}
		if e, err := schedule.Parse(s.Expression, zone); err == nil {
			if next, ok := e.Next(now, begin); ok {
				out.Next = &next
			}
		}
	}
	if out.Recurring {
		out.Folder = storage.CampaignFolder(s.Input.Campaign)
		if out.Campaign = ""; out.Next != nil {
			out.Campaign = schedule.RunName(s.Input.Campaign, *out.Next)
		}
	}
	return out
}

// next is the next start for a reader.
func (s shown) next() string {
	if s.Next == nil {
		return "no more"
	}
	return when.Show(*s.Next, s.Zone)
}

func (s shown) frozen() bool {
	return strings.HasPrefix(s.Folder, storage.FrozenFolder(s.Name, "")+"/")
}

// what is what it sends, for a reader.
func (s shown) what() string {
	switch {
	case s.Foreign != "":
		return "not made by fanmail: " + s.Foreign
	case s.frozen() && s.Checked != nil:
		return terminal.Number(s.Checked.Recipients) + " recipients, as checked"
	case s.frozen():
		return "the frozen folder"
	}
	return "the folder in the bucket, as it then stands"
}

func (p *program) printSchedules(all []cloud.Schedule, now time.Time, asJSON bool) error {
	views := []shown{}
	for _, s := range all {
		views = append(views, show(s, now))
	}
	if asJSON {
		return terminal.JSON(p.stdout, map[string]any{"schedules": views})
	}
	if len(views) == 0 {
		_, err := fmt.Fprintln(p.stdout,
			"No campaign is scheduled; `fanmail start DIR --at '2026-12-01 09:00'` schedules one.")
		return err
	}
	rows := [][]string{}
	for _, s := range views {
		rows = append(rows, []string{s.Name, s.next(), s.what()})
	}
	return terminal.Table(p.stdout, rows)
}

func (p *program) printSchedule(aws *cloud.Schedules, s cloud.Schedule, now time.Time, asJSON bool) error {
	view := show(s, now)
	view.DeadLetterQueue = aws.DeadLetterQueue()
	if asJSON {
		return terminal.JSON(p.stdout, view)
	}
	rows := [][]string{{"schedule", view.Name}, {"expression", view.Expression + " in " + view.Zone},
		{"starts next", view.next()}}
	if view.Campaign != "" {
		rows = append(rows, []string{"as the campaign", view.Campaign})
	}
	rows = append(rows, []string{"sends", view.what()})
	if view.Folder != "" {
		rows = append(rows, []string{"from", fmt.Sprintf("s3://%s/%s", aws.Bucket(), view.Folder)})
	}
	if c := view.Checked; c != nil {
		rows = append(rows, []string{"checked", fmt.Sprintf("%s: %s recipients, %s rows left out, SHA-256 %s",
			when.Show(c.At, view.Zone), terminal.Number(c.Recipients), terminal.Number(c.Rejected), c.Digest)})
	}
	rows = append(rows, []string{"at most", fmt.Sprintf("%v late; a start that fails is in %s",
		s.MaxDelay, view.DeadLetterQueue)})
	if err := terminal.Table(p.stdout, rows); err != nil {
		return err
	}
	if view.Recurring {
		_, err := fmt.Fprintf(p.stdout, "`fanmail upload DIR` replaces what it sends.\n")
		if err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(p.stdout,
		"`fanmail schedule cancel %s` takes it back; `fanmail schedule now %s` starts it at once.\n",
		view.Name, view.Name)
	return err
}

// printScheduled is what `fanmail start` says of a schedule that it made.
func (p *program) printScheduled(aws *cloud.Schedules, s cloud.Schedule, now time.Time, asJSON bool) error {
	if !asJSON {
		view := show(s, now)
		if _, err := fmt.Fprintf(p.stdout, "%s is scheduled: %s\n", view.Name, view.next()); err != nil {
			return err
		}
		if !view.Recurring && view.Next != nil && schedule.Twice(*view.Next) {
			if _, err := fmt.Fprintln(p.stdout, "The clocks go back then, and this time comes twice: Scheduler starts the campaign once."); err != nil {
				return err
			}
		}
	}
	return p.printSchedule(aws, s, now, asJSON)
}
