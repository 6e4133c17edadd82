package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/shared/deployment"
)

// upload is the verb that brings a folder into the bucket and starts nothing.
func (p *program) upload() *cobra.Command {
	return &cobra.Command{
		Use:   "upload DIR",
		Short: "Check a campaign folder and upload it, without starting it",
		Long: `Upload checks a campaign folder and uploads it to the bucket. Nothing is started: it is what the next
run of a recurring schedule sends, a schedule with --latest, or "fanmail start NAME".

It is refused when the folder has problems, while an execution is at work on the campaign of this name, and with
another list than the one that an unfinished campaign of this name began with.`,
		Example: `  fanmail upload ./news`,
		Args:    oneArgument,
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stamp := c.Context(), launch.Stamp(args[0])
			aws, missing := p.open(ctx, deployment.Bucket, deployment.ControlFunction)
			source, problems := launch.Find(ctx, args[0], p.progress())
			if problems == nil && source.Folder == nil {
				problems = fmt.Errorf("%s: no such folder", args[0])
			}
			if err := errors.Join(problems, missing); err != nil {
				return err
			}
			if err := source.Uploadable(ctx, aws); err != nil {
				return err
			}
			if _, err := source.Place(ctx, aws, stamp, p.progress()); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout,
				"%s is in the bucket: %d recipients, %d rows are left out; nothing is started\n",
				source.Campaign, source.Checked.Recipients, source.Checked.Rejected)
			return err
		},
	}
}
