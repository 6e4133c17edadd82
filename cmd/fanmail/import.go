package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/importer"
	"fanmail/cmd/fanmail/internal/terminal"
)

const importHelp = `Import makes a campaign's recipients.csv from the export of another sender. It writes into the folder --out:

  recipients.csv  a row for each address that may be mailed, with a column for each of its attributes
  optouts.csv     the addresses that have opted out, which are left out of recipients.csv, and why
  campaign.yaml   only where none is: a start without a sender and a subject

An address that has opted out in any record of any file is left out, whatever its other records say.
A record that can't be read stops the import, because it could be an opt-out. Nothing is written then.

The names of the columns are names that a template can print: the attribute "First Name" is {{.First_Name}}.
Several values of an attribute stand in one column, with commas between them.`

const pinpointHelp = `Pinpoint reads what export jobs of Amazon Pinpoint wrote to S3: JSON lines, as they are (.gz) or uncompressed. It
also reads CSV files with the same fields. Only endpoints of the channel EMAIL become recipients.

OptOut ALL is an opt-out. An endpoint with EndpointStatus INACTIVE is left out, and says nothing about its address.
User.UserAttributes.City and Attributes.City become the column City. If both are there, City is the user's, and
Attributes_City the endpoint's. User.UserId becomes UserId. Other fields keep their whole path, as in
Location_Country.`

const listmonkHelp = `Listmonk reads the CSV file that listmonk's page Subscribers exports. Subscribers who are disabled or blocklisted
are opt-outs.

The export does not say who has unsubscribed from a list. Export those too (on the page Lists, the number beside
"unsubscribed" shows them), and give that file with --opted-out. docs/from-listmonk.md has the steps.

Each attribute becomes a column: {"city": "Jeju", "job": {"title": "Cook"}} is city and job_title. The columns
first_name and last_name have what {{ .Subscriber.FirstName }} and {{ .Subscriber.LastName }} print in listmonk.`

func (p *program) importing() *cobra.Command {
	c := &cobra.Command{
		Use:   "import",
		Short: "Make a list of recipients from an export of Amazon Pinpoint or listmonk",
		Long:  importHelp,
		Example: `  fanmail import pinpoint export/*.gz --out ./spring-sale
  fanmail import listmonk subscribers.csv --opted-out unsubscribed.csv --out ./spring-sale`,
		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		p.importFrom(importer.Pinpoint, &cobra.Command{
			Use: "pinpoint FILE...", Short: "Import segments of Amazon Pinpoint", Long: pinpointHelp,
			Example: `  aws s3 cp --recursive s3://my-bucket/exports/ ./export
  fanmail import pinpoint export/*.gz --out ./spring-sale`,
		}),
		p.importFrom(importer.Listmonk, &cobra.Command{
			Use: "listmonk FILE...", Short: "Import subscribers of listmonk", Long: listmonkHelp,
			Example: `  fanmail import listmonk subscribers.csv --opted-out unsubscribed.csv --out ./spring-sale
  fanmail import listmonk subscribers.csv --out ./spring-sale --overwrite`,
		}),
	)
	return c
}

// importFrom completes a verb that imports one format.
func (p *program) importFrom(format importer.Format, c *cobra.Command) *cobra.Command {
	o := importer.Options{Format: format}
	var asJSON bool
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("no file: fanmail import %s --out DIR", c.Use)
		case o.Folder == "":
			return errors.New("--out is missing: it names the campaign's folder, such as --out ./spring-sale")
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		o.Files = args
		summary, err := p.runImport(c.Context(), o)
		if err != nil {
			return err
		}
		if asJSON {
			return terminal.JSON(p.stdout, summary)
		}
		return printImport(p.stdout, summary)
	}
	c.Flags().StringVar(&o.Folder, "out", "", "the campaign's `folder`; it is made if it is not there")
	c.Flags().StringArrayVar(&o.OptedOut, "opted-out", nil,
		"CSV `file` with a column email or address: nobody in it is mailed; may be repeated")
	c.Flags().BoolVar(&o.Overwrite, "overwrite", false, "replace recipients.csv and optouts.csv")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (p *program) runImport(ctx context.Context, o importer.Options) (*importer.Summary, error) {
	progress := p.progress()
	defer progress.Done()
	o.Seen = func(records int64) {
		if records == manyRecords {
			progress.Step("reading the export, twice")
		}
	}
	return importer.Run(ctx, o)
}

// manyRecords are so many that reading them takes a second or two.
const manyRecords = 100_000

func printImport(w io.Writer, s *importer.Summary) error {
	list, optOuts := filepath.Join(s.Folder, importer.RecipientsFile), filepath.Join(s.Folder, importer.OptOutsFile)
	rows := [][]string{
		{"read", terminal.Number(s.Read)},
		{"written", terminal.Number(s.Written), list},
		{"opted out", terminal.Number(s.OptedOut.Total()),
			fmt.Sprintf("%s has %s", optOuts, terminal.Counted(s.Listed, "address", "addresses"))},
	}
	rows = append(rows, importGroups(s.OptedOut)...)
	for _, part := range []struct {
		name   string
		groups importer.Groups
	}{{"no mail address", s.OtherChannel}, {"inactive", s.Inactive}, {"invalid", s.Invalid}, {"duplicates", s.Duplicates}} {
		rows = append(rows, []string{part.name, terminal.Number(part.groups.Total())})
		rows = append(rows, importGroups(part.groups)...)
	}
	rows = append(rows, []string{"columns", terminal.Number(int64(len(s.Columns)))})
	for _, column := range s.Columns {
		rows = append(rows, []string{"  {{." + column.Name + "}}", "", "from " + terminal.OneLine(column.From)})
	}
	if err := terminal.Table(w, rows); err != nil {
		return err
	}
	next := "Next: fanmail check " + s.Folder
	if s.Starter {
		next = fmt.Sprintf("Next: write the sender and the subject into %s, put mail.html beside it, then: fanmail check %s",
			filepath.Join(s.Folder, "campaign.yaml"), s.Folder)
	}
	_, err := fmt.Fprintln(w, next)
	return err
}

func importGroups(groups importer.Groups) [][]string {
	var rows [][]string
	for _, g := range groups.Sorted() {
		rows = append(rows, []string{"  " + terminal.OneLine(g.Reason), terminal.Number(g.Count),
			fmt.Sprintf("first: %s:%d %q", g.File, g.Line, g.Address)})
	}
	return rows
}
