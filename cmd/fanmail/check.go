package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
)

func (p *program) check() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check DIR",
		Short: "Find every problem of a campaign folder",
		Long: `Check reads a campaign folder whole: campaign.yaml, the templates against the columns of the list, the attachments, and
every row of recipients.csv. It prints all problems, how many recipients are good, and the rejected rows by reason.

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
	if r.Encoding == "" {
		return nil
	}
	rows := [][]string{
		{"campaign", r.Campaign},
		{"list", fmt.Sprintf("%s, %s, %d columns", r.File, r.Encoding, len(r.Columns))},
		{"recipients", terminal.Number(r.Recipients)},
		{"rejected lines", terminal.Number(r.Rejected)},
	}
	rows = append(rows, groupRows(r.Rejects)...)
	if len(r.Unrenderable) > 0 {
		rows = append(rows, []string{"would fail", "the templates can't be rendered for these recipients"})
		rows = append(rows, groupRows(r.Unrenderable)...)
	}
	return terminal.Table(w, rows)
}

func groupRows(groups []folder.Group) [][]string {
	var rows [][]string
	for _, g := range groups {
		example := fmt.Sprintf("first: line %d %q", g.Line, g.Email)
		if g.Detail != "" {
			example += ", " + oneLine(g.Detail)
		}
		rows = append(rows, []string{"  " + oneLine(g.Reason), terminal.Number(g.Count), example})
	}
	return rows
}
