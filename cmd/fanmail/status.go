package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

func (p *program) status() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status NAME",
		Short: "Show how far a campaign is",
		Long: `Status asks the deployment for the state of a campaign as the ledger has it at this moment, and whether the execution
that works on it still runs.`,
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
			if err := explainInterruption(c.Context(), aws, &report); err != nil {
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

// explainInterruption gives a campaign that is under way in the ledger, but whose execution ended without a chance to say
// so (it was stopped, for instance), a reason that says that.
func explainInterruption(ctx context.Context, aws *cloud.Cloud, r *workflow.Report) error {
	if (r.State != "running" && r.State != "importing") || r.Execution == "" {
		return nil
	}
	execution, err := aws.DescribeExecution(ctx, r.Execution)
	if err != nil {
		return err
	}
	if execution.Status != "RUNNING" {
		r.Reason = fmt.Sprintf("interrupted: its execution is %s; `fanmail start %s` resumes it", execution.Status, r.Campaign)
	}
	return nil
}
