package main

import (
	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
)

func (p *program) status() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status NAME",
		Short: "Show how far a campaign is",
		Long:  `Status asks the deployment for the state of a campaign as the ledger has it at this moment.`,
		Example: `  fanmail status spring-sale
  fanmail status spring-sale --json | jq .pending`,
		Args: oneArgument,
		RunE: func(c *cobra.Command, args []string) error {
			aws, err := cloud.Open(c.Context(), p.getenv)
			if err != nil {
				return err
			}
			report, err := aws.Status(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(p.stdout, report)
			}
			return terminal.Table(p.stdout, follow.Rows(report))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
