package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

func (p *program) migrate() *cobra.Command {
	var statements, asJSON bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the tables of the deployment up to date",
		Long: `Migrate invokes the function migrate of the deployment, which creates and updates the tables of the ledger and
the PostgreSQL role of the functions, and waits for its end. Run it after every deployment; once all is up to date it
changes nothing.

Where the function may not change the role, it lists the statements that an administrator has to run, and the exit
code is 1 until they were. With --statements only they are printed, as SQL for psql, and the exit code is 0; where
none are left, nothing is printed.`,
		Example: `  fanmail migrate
  fanmail migrate --statements | psql "$ADMIN_URL"
  fanmail migrate --json | jq .applied`,
		Args: cobra.MatchAll(cobra.NoArgs, func(*cobra.Command, []string) error {
			if statements && asJSON {
				return fmt.Errorf("--statements and --json: only one of them; the JSON has the statements too")
			}
			return nil
		}),
		RunE: func(c *cobra.Command, _ []string) error {
			aws, err := p.open(c.Context(), deployment.MigrateFunction)
			if err != nil {
				return err
			}
			p.progress().Step("migrating (up to some minutes)")
			out, err := aws.Migrate(c.Context())
			if err != nil {
				return err
			}
			if out.Warning != "" {
				p.warn(out.Warning)
			}
			if statements {
				return printStatements(p.stdout, out)
			}
			if err := p.printMigration(out, asJSON); err != nil {
				return err
			}
			if n := len(out.Statements); n > 0 {
				return fmt.Errorf("%s left for an administrator of the database (%s): `fanmail migrate "+
					"--statements | psql ...` runs them; then run `fanmail migrate` again",
					terminal.Counted(int64(n), "statement is", "statements are"), terminal.OneLine(out.Reason))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&statements, "statements", false, "print only the statements that are left, as SQL")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (p *program) printMigration(out workflow.MigrateOutput, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, out)
	}
	if len(out.Applied) == 0 {
		fmt.Fprintln(p.stdout, "The tables were up to date.")
	} else {
		applied := terminal.Counted(int64(len(out.Applied)), "migration was", "migrations were")
		fmt.Fprintf(p.stdout, "%s applied: %s\n", applied, strings.Join(out.Applied, ", "))
	}
	return printStatements(p.stdout, out)
}

// printStatements writes SQL. The reason is a comment, so that all of it can go to psql.
func printStatements(w io.Writer, out workflow.MigrateOutput) error {
	if len(out.Statements) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s\n", terminal.OneLine(out.Reason))
	for _, s := range out.Statements {
		fmt.Fprintf(&b, "%s;\n", strings.TrimRight(s, "; \n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
