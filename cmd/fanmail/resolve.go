package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

func (p *program) resolve() *cobra.Command {
	var resend, drop bool
	c := &cobra.Command{
		Use:   "resolve NAME --resend|--drop",
		Short: "Settle the recipients that a campaign holds in doubt",
		Long: `Resolve settles by hand the recipients of whom it is not known whether Amazon SES took their mail: a sender died, or
lost SES's answer, and no SES event has told since. The report of the campaign lists them.

  --resend  they are mailed when the campaign is started again: those whose mail SES took are then mailed twice
  --drop    they are not mailed: those whose mail SES did not take are never mailed

An SES event that arrives later still corrects a recipient that was dropped.`,
		Example: `  fanmail report spring-sale
  fanmail resolve spring-sale --drop
  fanmail resolve spring-sale --resend && fanmail start spring-sale`,
		Args: cobra.MatchAll(oneName, func(*cobra.Command, []string) error {
			if resend == drop {
				return errors.New("resolve takes either --resend or --drop")
			}
			return nil
		}),
		RunE: func(c *cobra.Command, args []string) error {
			aws, err := p.open(c.Context(), deployment.ControlFunction)
			if err != nil {
				return err
			}
			in := workflow.ControlInput{Action: workflow.ActionDrop, Campaign: args[0]}
			if resend {
				in.Action = workflow.ActionResend
			}
			answer, err := aws.Control(c.Context(), in)
			if err != nil {
				return err
			}
			return p.printResolved(answer.Report, drop)
		},
	}
	c.Flags().BoolVar(&resend, "resend", false, "mail them with the next start of the campaign")
	c.Flags().BoolVar(&drop, "drop", false, "leave them out for good")
	return c
}

// printResolved says what became of those in doubt. Those who are left are an error: a start would not mail them.
func (p *program) printResolved(r workflow.Report, drop bool) error {
	number := terminal.Number(r.Resolved)
	var err error
	switch {
	case r.Resolved == 0 && r.InDoubt > 0:
	case r.Resolved == 0:
		_, err = fmt.Fprintf(p.stdout, "%s holds nobody in doubt\n", r.Campaign)
	case drop:
		_, err = fmt.Fprintf(p.stdout, "%s recipients of %s are left out\n", number, r.Campaign)
	case follow.UnderWay(r):
		_, err = fmt.Fprintf(p.stdout, "%s recipients of %s are pending: its execution, or the next start, mails them\n", number, r.Campaign)
	default:
		_, err = fmt.Fprintf(p.stdout, "%s recipients of %s are pending: `fanmail start %s` mails them\n", number, r.Campaign, r.Campaign)
	}
	if err == nil && r.InDoubt > 0 {
		err = fmt.Errorf("%s recipients of %s came into doubt less than a minute ago, and their senders may still be recording: run it again in a minute",
			terminal.Number(r.InDoubt), r.Campaign)
	}
	return err
}
