package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
)

func (p *program) whoami() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "whoami",
		Short: "Show which deployment is found, and by which settings",
		Long: `Whoami shows the AWS account and the caller, region, profile, stage and stack, and all that the other commands
need of the deployment, each with the flag, environment variable, file or stack output that it comes from. It changes
nothing. What can't be found out is an error, after all that can.`,
		Example: `  fanmail whoami
  fanmail whoami --stage prod --region eu-west-1
  fanmail whoami --json | jq -r .outputs.Bucket.value`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.runWhoami(c.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (p *program) runWhoami(ctx context.Context, asJSON bool) error {
	aws, err := p.open(ctx)
	if err != nil {
		return err
	}
	found, err := aws.Whoami(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if asJSON {
		return errors.Join(terminal.JSON(p.stdout, found), err)
	}
	return errors.Join(p.printWhoami(found), err)
}

func (p *program) printWhoami(f cloud.Found) error {
	rows := [][]string{
		{"account", orDash(f.Account)},
		{"caller", orDash(f.ARN)},
		{"credentials", orDash(f.Credentials)},
		{"deployment", withSource(f.Deployment.Value, f.Deployment.From)},
		{"profile", withSource(f.Profile.Value, f.Profile.From)},
		{"region", withSource(f.Region.Value, f.Region.From)},
		{"endpoint", withSource(f.Endpoint.Value, f.Endpoint.From)},
		{"stage", withSource(f.Stage.Value, f.Stage.From)},
		{"stack", withSource(f.Stack.Name, f.Stack.Status)},
	}
	for _, o := range f.Order {
		rows = append(rows, []string{o, withSource(f.Outputs[o].Value, f.Outputs[o].From)})
	}
	return terminal.Table(p.stdout, rows)
}

// withSource is a value with where it comes from. They share a column: a column of their own, beside that of the ARNs,
// would be off the screen.
func withSource(value, from string) string {
	if value == "" || from == "" {
		return orDash(value)
	}
	return value + "  (" + from + ")"
}
