package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

type startOptions struct {
	executionName string
	follow, json  bool
	yes           bool
	laterFlags
}

func (p *program) start() *cobra.Command {
	var o startOptions
	c := &cobra.Command{
		Use:   "start DIR|NAME",
		Short: "Start a campaign and follow it to its end",
		Long: `Start checks a campaign folder, uploads it to the bucket and starts the state machine on it. Nothing is uploaded
when the folder has problems, or when the campaign can't be started: while an execution is at work on it, when all
of it is sent, or with another list than the one that it began with. With a NAME instead of a folder, the campaign
that is in the bucket already is started.

Before it begins, start says in one line how long the campaign will take and what it will cost, as "fanmail plan"
does; on a terminal it asks first if that is longer than a day.

A campaign that was stopped, for whatever reason, is resumed where it stood: nobody is mailed twice. Ctrl-C ends the
following, not the campaign.` + laterHelp,
		Example: `  fanmail start ./spring-sale
  fanmail start spring-sale                    resume, without uploading anything
  fanmail start ./spring-sale --follow=false   start and return at once` + laterExamples,
		Args: cobra.MatchAll(oneArgument, func(c *cobra.Command, _ []string) error { return o.laterFlags.check(c.Flags()) }),
		RunE: func(c *cobra.Command, args []string) error { return p.runStart(c.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.executionName, "execution-name", "", "the name of the execution (default: the campaign and the time)")
	c.Flags().BoolVar(&o.follow, "follow", true, "wait for the end and print the report")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	c.Flags().BoolVar(&o.yes, "yes", false, "ask nothing, however long the campaign lasts")
	o.laterFlags.register(c.Flags())
	return c
}

func (p *program) runStart(ctx context.Context, argument string, o startOptions) error {
	if o.Given() {
		return p.runLater(ctx, argument, o)
	}
	aws, missing := p.open(ctx, deployment.Bucket, deployment.StateMachine, deployment.ControlFunction)
	source, err := launch.Find(ctx, argument, p.progress())
	if err := errors.Join(err, missing); err != nil {
		return err
	}
	if err := source.Startable(ctx, aws); err != nil {
		return err
	}
	if err := p.foresee(ctx, aws, source, o.yes); err != nil {
		return err
	}
	if err := source.Bring(ctx, aws, p.progress()); err != nil {
		return err
	}
	if o.executionName == "" {
		o.executionName = launch.ExecutionName(source.Campaign, time.Now())
	}
	arn, err := aws.StartExecution(ctx, o.executionName, workflow.ExecutionInput{Campaign: source.Campaign})
	if err != nil {
		return err
	}
	if !o.follow {
		return p.printStarted(arn, source.Campaign, o.json)
	}
	end, err := follow.Follower{Source: aws, Progress: p.progress()}.Follow(ctx, arn, source.Campaign)
	if err != nil {
		return err
	}
	if err := p.printEnd(end, o.json); err != nil {
		return err
	}
	return end.Err()
}

func (p *program) printStarted(arn, campaign string, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, follow.End{Execution: arn, Status: "RUNNING"})
	}
	_, err := fmt.Fprintf(p.stdout, "%s\nStarted; `fanmail status %s` shows how far it is.\n", arn, campaign)
	return err
}

func (p *program) printEnd(end follow.End, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, end)
	}
	if end.Report == nil {
		return nil // there are no figures, and the error says the rest
	}
	return follow.Print(p.stdout, *end.Report, []string{"execution", end.Execution}, []string{"this execution", fmt.Sprintf("%.1f seconds", end.Seconds)})
}
