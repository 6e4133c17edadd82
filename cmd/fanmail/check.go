package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/campaign"
)

func (p *program) check() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check DIR",
		Short: "Find every problem of a campaign folder",
		Long: `Check reads a campaign folder whole: campaign.yaml, the templates against the columns of the list, the attachments,
and every row of recipients.csv. It prints what it understood, all problems, how many recipients are good, the
rejected rows by reason, and columns that a template prints although they are empty in some rows.

Rejected rows do not stop a campaign; they are left out. The exit code is 1 when a problem stops the campaign, or when
there is no good address at all.`,
		Example: `  fanmail check ./spring-sale
  fanmail check ./spring-sale --json | jq .rejects`,
		Args: oneArgument,
		RunE: func(c *cobra.Command, args []string) error {
			f, err := folder.Open(args[0])
			if err != nil {
				return err
			}
			result, err := folder.Check(c.Context(), f, p.progress())
			if err != nil {
				return err
			}
			if asJSON {
				err = terminal.JSON(p.stdout, result)
			} else {
				err = printCheck(p.stdout, result)
			}
			if err != nil {
				return err
			}
			return result.Err()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// printCheck writes what was read; a folder that could not be read far enough for any figure has only its problems.
func printCheck(w io.Writer, r *folder.Result) error {
	var rows [][]string
	if r.Settings != nil {
		rows = settingRows(r)
	}
	if r.Encoding == "" {
		return terminal.Table(w, rows)
	}
	rows = append(rows,
		[]string{"list", fmt.Sprintf("%s, %s, %q, %s", r.File, r.Encoding, r.Delimiter,
			terminal.Counted(int64(len(r.Columns)), "column", "columns"))},
		[]string{"recipients", terminal.Number(r.Recipients)},
		[]string{"rejected lines", terminal.Number(r.Rejected)},
	)
	rows = append(rows, groupRows(r.Rejects)...)
	if len(r.Empty) > 0 {
		rows = append(rows, []string{"empty", "the templates print these columns, which have no default"})
		for _, gap := range r.Empty {
			rows = append(rows, []string{"  " + terminal.OneLine(gap.Column), terminal.Number(gap.Count), fmt.Sprintf("first: line %d", gap.Line)})
		}
	}
	if len(r.Unrenderable) > 0 {
		rows = append(rows, []string{"would fail", "the templates can't be rendered for these recipients"})
		rows = append(rows, groupRows(r.Unrenderable)...)
	}
	return terminal.Table(w, rows)
}

// settingRows are campaign.yaml as it was understood.
func settingRows(r *folder.Result) [][]string {
	s := r.Settings
	rate, limit, window := "the account's", "none but the account's", "always open"
	if s.Rate > 0 {
		rate = strconv.FormatFloat(s.Rate, 'f', -1, 64) + " recipients per second"
	}
	if s.DailyLimit > 0 {
		limit = terminal.Number(s.DailyLimit) + " recipients per 24 hours"
	}
	if s.Window != nil {
		window = describeWindow(*s.Window)
	}
	rows := [][]string{{"campaign", s.Name}, {"from", readable(s.From)}}
	if len(s.ReplyTo) > 0 {
		rows = append(rows, []string{"reply to", readable(strings.Join(s.ReplyTo, ", "))})
	}
	rows = append(rows, []string{"rate", rate}, []string{"daily limit", limit}, []string{"window", window})
	for _, a := range r.Attachments {
		rows = append(rows, []string{"attachment", fmt.Sprintf("%s, %s bytes", a.Name, terminal.Number(int64(a.Bytes)))})
	}
	return rows
}

func describeWindow(w campaign.Window) string {
	to, days := w.To, "every day"
	if w.To < w.From {
		to += " of the next day"
	}
	if len(w.Days) > 0 {
		days = strings.Join(w.Days, ", ")
	}
	return fmt.Sprintf("%s to %s, %s, %s", w.From, to, days, w.Zone)
}

func groupRows(groups []folder.Group) [][]string {
	var rows [][]string
	for _, g := range groups {
		example := fmt.Sprintf("first: line %d %q", g.Line, g.Email)
		if g.Detail != "" {
			example += ", " + terminal.OneLine(g.Detail)
		}
		rows = append(rows, []string{"  " + terminal.OneLine(g.Reason), terminal.Number(g.Count), example})
	}
	return rows
}
