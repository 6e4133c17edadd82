package main

import (
	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/report"
	"fanmail/shared/deployment"
)

func (p *program) report() *cobra.Command {
	var options report.Options
	c := &cobra.Command{
		Use:   "report NAME",
		Short: "Show how a campaign ended, and download its outcomes",
		Long: `Report prints how the last execution of a campaign ended, with what SES events have told since, and lists the
recipients in doubt. The outcome of every recipient, as it was at the end, and every rejected line with its reason,
are CSV files.`,
		Example: `  fanmail report spring-sale
  fanmail report spring-sale --outcomes outcomes.csv --rejects rejects.csv
  fanmail report spring-sale --rejects - | head`,
		Args: cobra.MatchAll(oneName, func(*cobra.Command, []string) error { return options.Validate() }),
		RunE: func(c *cobra.Command, args []string) error {
			aws, err := p.open(c.Context(), deployment.ControlFunction, deployment.Bucket)
			if err != nil {
				return err
			}
			return report.Print(c.Context(), aws, args[0], options, p.stdout)
		},
	}
	c.Flags().StringVar(&options.Outcomes, "outcomes", "", "download the outcome of every recipient to this file; - is stdout")
	c.Flags().StringVar(&options.Rejects, "rejects", "", "download the rejected lines to this file; - is stdout")
	c.Flags().BoolVar(&options.JSON, "json", false, "print the report as one JSON object")
	return c
}
