package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/schedule"
	"fanmail/shared/storage"
)

func (p *program) scheduleVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "schedule",
		Short: "List, show and cancel scheduled campaigns, or start one at once",
		Long: `Schedules are made by "fanmail start DIR" with --at, --cron or --every. A schedule has the name of its
campaign. One that starts a campaign once is gone when it has done so.`,
		Example: `  fanmail schedule list
  fanmail schedule show spring-sale
  fanmail schedule cancel spring-sale
  fanmail schedule now spring-sale`,
		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.scheduleList(), p.scheduleShow(), p.scheduleCancel(), p.scheduleNow())
	return c
}

// scheduleRun does what a verb of schedules is for.
type scheduleRun func(ctx context.Context, aws *cloud.Schedules, args []string, asJSON bool) error

// scheduleCommand is a verb of schedules that can print JSON.
func (p *program) scheduleCommand(use, short string, args cobra.PositionalArgs, run scheduleRun) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(c *cobra.Command, args []string) error {
		aws, err := p.openSchedules(c.Context())
		if err != nil {
			return err
		}
		return run(c.Context(), aws, args, asJSON)
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func (p *program) scheduleList() *cobra.Command {
	return p.scheduleCommand("list", "List the scheduled campaigns with their next starts", cobra.NoArgs,
		func(ctx context.Context, aws *cloud.Schedules, _ []string, asJSON bool) error {
			all, now, err := aws.ListSchedules(ctx)
			if err != nil {
				return err
			}
			return p.printSchedules(all, now, asJSON)
		})
}

func (p *program) scheduleShow() *cobra.Command {
	return p.scheduleCommand("show NAME", "Show when a scheduled campaign starts and what it sends", oneName,
		func(ctx context.Context, aws *cloud.Schedules, args []string, asJSON bool) error {
			s, now, err := getSchedule(ctx, aws, args[0])
			if err != nil {
				return err
			}
			return p.printSchedule(aws, s, now, asJSON)
		})
}

func (p *program) scheduleCancel() *cobra.Command {
	c := p.scheduleCommand("cancel NAME", "Take a schedule back, with the folder that was frozen for it", oneName,
		func(ctx context.Context, aws *cloud.Schedules, args []string, asJSON bool) error {
			s, _, err := getSchedule(ctx, aws, args[0])
			if err != nil {
				return err
			}
			if err := gone(aws.DeleteSchedule(ctx, s.Name), s.Name); err != nil {
				return err
			}
			return p.cancelled(ctx, aws, s, asJSON)
		})
	c.Long = `Cancel deletes a schedule: it starts nothing any more. Campaigns that it has started go on. Of a schedule
that starts once, the frozen folder is removed too.`
	return c
}

// cancelled removes the frozen folder, unless an execution has begun with it at the last moment.
func (p *program) cancelled(ctx context.Context, aws *cloud.Schedules, s cloud.Schedule, asJSON bool) error {
	started := false
	if s.Execution != "" {
		_, err := aws.DescribeExecution(ctx, aws.ExecutionARN(s.Execution))
		if err != nil && !errors.Is(err, cloud.ErrNoExecution) {
			return fmt.Errorf("the schedule %s is cancelled; its frozen folder %s stays: %w",
				s.Name, s.Input.Folder, err)
		}
		started = err == nil
	}
	own := s.Input.Folder == storage.CampaignFolder(s.Name)
	if !own && !started && storage.MayRead(s.Name, s.Input.Folder) {
		if err := aws.RemoveFolder(ctx, s.Input.Folder); err != nil {
			return fmt.Errorf("the schedule %s is cancelled; its frozen folder stays: %w", s.Name, err)
		}
	}
	switch {
	case asJSON:
		return terminal.JSON(p.stdout, map[string]any{"name": s.Name, "cancelled": true, "started": started})
	case started:
		_, err := fmt.Fprintf(p.stdout, "The schedule %s is cancelled, but it had started its campaign already; `fanmail status %s` shows how far it is.\n",
			s.Name, s.Name)
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "The schedule %s is cancelled: it starts nothing any more.\n", s.Name)
	return err
}

func (p *program) scheduleNow() *cobra.Command {
	c := p.scheduleCommand("now NAME", "Start a scheduled campaign at once", oneName,
		func(ctx context.Context, aws *cloud.Schedules, args []string, asJSON bool) error {
			s, now, err := getSchedule(ctx, aws, args[0])
			if err != nil {
				return err
			}
			return p.startNow(ctx, aws, s, now, asJSON)
		})
	c.Long = `Now starts the campaign of a schedule at once. A schedule that starts once has then done its work, and is
deleted. A recurring one stays as it is: this run is one more, named with the time of now.`
	return c
}

// startNow starts with the name and the input that Scheduler would start with: whoever comes second starts nothing. It
// starts before it deletes: a failure in between leaves a schedule that starts an execution which exists, and so
// nothing.
func (p *program) startNow(ctx context.Context, aws *cloud.Schedules, s cloud.Schedule, now time.Time, asJSON bool) error {
	if s.Foreign != "" {
		return fmt.Errorf("the schedule %s was not made by `fanmail start`: %s", s.Name, s.Foreign)
	}
	campaign, execution, input := s.Input.Campaign, s.Execution, s.Input
	recurring := s.Input.ScheduledTime != ""
	if recurring {
		// A run is named with its minute, so there is one execution for it.
		campaign = schedule.RunName(s.Input.Campaign, now)
		execution = campaign + "-now"
		input.ScheduledTime = now.UTC().Truncate(time.Minute).Format(time.RFC3339)
	}
	arn, err := aws.StartExecution(ctx, execution, input)
	if err != nil {
		return err
	}
	rest := "the schedule stays as it is"
	if !recurring {
		rest = "the schedule has done its work and is deleted"
		if err := aws.DeleteSchedule(ctx, s.Name); err != nil && !errors.Is(err, cloud.ErrNoSchedule) {
			return fmt.Errorf("%s is started, as %s; its schedule is still there, and will start nothing: %w",
				campaign, arn, err)
		}
	}
	if asJSON {
		return terminal.JSON(p.stdout,
			map[string]any{"name": s.Name, "campaign": campaign, "execution": arn, "deleted": !recurring})
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n%s is started, and %s; `fanmail status %s` shows how far it is.\n",
		arn, campaign, rest, campaign)
	return err
}

// getSchedule reads a schedule; the error for one that does not exist says what may have become of it.
func getSchedule(ctx context.Context, aws *cloud.Schedules, name string) (cloud.Schedule, time.Time, error) {
	s, now, err := aws.GetSchedule(ctx, name)
	return s, now, gone(err, name)
}

func gone(err error, name string) error {
	if errors.Is(err, cloud.ErrNoSchedule) {
		return fmt.Errorf("there is no schedule %s: it was never made, or is cancelled, or has started its campaign (`fanmail status %s`); `fanmail schedule list` shows all",
			name, name)
	}
	return err
}
