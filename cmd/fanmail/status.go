package main

import (
	"context"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

func (p *program) status() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status NAME",
		Short: "Show how far a campaign is",
		Long: `Status asks the deployment for the state of a campaign as the ledger has it at this moment, and whether the execution
that works on it still runs: when it was stopped, the state is interrupted.`,
		Example: `  fanmail status spring-sale
  fanmail status spring-sale --json | jq .pending`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			aws, err := p.open(c.Context(), deployment.ControlFunction)
			if err != nil {
				return err
			}
			report, err := aws.Status(c.Context(), args[0])
			if err != nil {
				return err
			}
			if err := explainInterruption(c.Context(), aws, &report); err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(p.stdout, report)
			}
			return follow.Print(p.stdout, report, []string{"execution", report.Execution})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// explainInterruption gives a campaign that is under way, but whose execution no longer runs, a state and a reason
// that say so. The ledger says it by itself once the function finish has been told: this is for the seconds until
// then, and should it not be told.
func explainInterruption(ctx context.Context, aws *cloud.Cloud, r *workflow.Report) error {
	if !follow.UnderWay(*r) {
		return nil
	}
	status, runs, err := follow.Owner(ctx, aws, *r)
	if err != nil {
		return err
	}
	if !runs {
		r.State, r.Reason = follow.Interrupted, workflow.Interruption(r.Campaign, status)
	}
	return nil
}
