package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/dryrun"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/cmd/fanmail/internal/when"
	"fanmail/shared/deployment"
)

const planHelp = `Plan is a dry run of "fanmail start": nothing is uploaded, and nothing is sent. It checks the folder, asks the
deployment for the SES account, the database server and the suppression list, and prints how the campaign will go:
who is left out, waves, batches, senders and connections, when it ends at the account's rate, quota, dailyLimit and
window, and what it will cost by service.

The forecast asks the same code that decides while a campaign runs. Waves, batches, senders and days come out as
forecast as long as the facts stay as they are. Times and dollars are estimates. --rate and --quota show what another
SES account would do.

With --offline nobody is asked: --rate and --quota say what the SES account allows.`

type planOptions struct {
	at, zone      string
	offline, json bool
	assume        dryrun.Assumptions

	begin time.Time
	where *time.Location
}

func (p *program) plan() *cobra.Command {
	o := planOptions{assume: dryrun.None()}
	c := &cobra.Command{
		Use:   "plan DIR",
		Short: "Show how long a campaign will take and what it will cost, without sending anything",
		Long:  planHelp,
		Example: `  fanmail plan ./spring-sale
  fanmail plan ./spring-sale --at '2026-12-01 09:00' --zone Asia/Seoul
  fanmail plan ./spring-sale --offline --rate 14 --quota 50000`,
		Args: func(c *cobra.Command, args []string) error {
			if err := oneArgument(c, args); err != nil {
				return err
			}
			return o.check(c, time.Now())
		},
		RunE: func(c *cobra.Command, args []string) error { return p.runPlan(c.Context(), args[0], o) },
	}
	f, a := c.Flags(), &o.assume
	f.StringVar(&o.at, "at", "", "when it begins, like '2026-12-01 09:00' (default: now)")
	f.StringVar(&o.zone, "zone", "", "the time zone of --at and of all times, like Asia/Seoul (default: this machine's)")
	f.BoolVar(&o.offline, "offline", false, "ask nobody: needs --rate and --quota")
	f.Float64Var(&a.Rate, "rate", 0, "recipients per second that the SES account allows")
	f.Float64Var(&a.Quota, "quota", 0, "recipients per 24 hours that the SES account allows, -1 for no limit")
	f.Float64Var(&a.Used, "used", 0, "recipients of that quota that other mail has used in the last 24 hours")
	f.Float64Var(&a.OtherMail, "other-mail", 0, "recipients per 24 hours that other mail of the account will have")
	f.IntVar(&a.Senders, "senders", 0, "reserved concurrency of the sender function")
	f.IntVar(&a.MaxConnections, "max-connections", 0, "max_connections of the server")
	f.IntVar(&a.Reserved, "reserved", 0, "connections that the server reserves, superuser_reserved_connections ...")
	f.IntVar(&a.Others, "others", 0, "connections that other roles hold")
	f.StringVar(&a.PricingPlan, "pricing-plan", "", "the SES pricing plan: NONE, ESSENTIALS, PRO or ENTERPRISE (default: the account's)")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	return c
}

// check finds every mistake of the command line, and takes back what was not given.
func (o *planOptions) check(c *cobra.Command, now time.Time) error {
	var problems []string
	none := dryrun.None()
	float := func(flag string, value *float64, absent, least float64) {
		switch {
		case !c.Flags().Changed(flag):
			*value = absent
		case !(*value >= least) || math.IsInf(*value, 0):
			problems = append(problems, fmt.Sprintf("--%s is %v: it must be %v or more", flag, *value, least))
		}
	}
	a := &o.assume
	float("rate", &a.Rate, none.Rate, 0.01)
	float("quota", &a.Quota, none.Quota, -1)
	float("used", &a.Used, none.Used, 0)
	float("other-mail", &a.OtherMail, 0, 0)
	for _, given := range []struct {
		flag  string
		value *int
		least int
	}{{"senders", &a.Senders, 1}, {"max-connections", &a.MaxConnections, 1}, {"reserved", &a.Reserved, 0}, {"others", &a.Others, 0}} {
		switch {
		case !c.Flags().Changed(given.flag):
			*given.value = -1
		case *given.value < given.least:
			problems = append(problems,
				fmt.Sprintf("--%s is %d: it must be %d or more", given.flag, *given.value, given.least))
		}
	}
	switch a.PricingPlan {
	case "", "NONE", "ESSENTIALS", "PRO", "ENTERPRISE":
	default:
		problems = append(problems,
			fmt.Sprintf("--pricing-plan is %q: it must be NONE, ESSENTIALS, PRO or ENTERPRISE", a.PricingPlan))
	}
	if o.offline && (a.Rate < 0 || math.IsNaN(a.Quota)) {
		problems = append(problems, "--offline needs --rate and --quota: the SES console shows both")
	}
	var err error
	if o.begin, o.where, err = when.Begin(o.at, o.zone, now); err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "; "))
	}
	return nil
}

func (p *program) runPlan(ctx context.Context, argument string, o planOptions) error {
	var aws *cloud.Cloud
	var missing error
	if !o.offline {
		aws, missing = p.open(ctx, deployment.ControlFunction)
	}
	source, err := launch.FindFolder(ctx, argument, p.progress())
	if err := errors.Join(err, missing); err != nil {
		return offlineHelps(err, missing)
	}
	var facts dryrun.Facts
	r := dryrun.New(source.Checked)
	if o.offline {
		o.assume.Region = p.getenv("AWS_REGION")
		facts, err = dryrun.Assume(o.assume)
	} else if err = source.Startable(ctx, aws); err == nil {
		facts, err = p.ask(ctx, aws, source, r, o.assume)
		err = offlineHelps(err, err)
	}
	if err != nil {
		return err
	}
	if err := r.Simulate(facts, o.begin, o.where); err != nil {
		return err
	}
	if o.json {
		err = terminal.JSON(p.stdout, r)
	} else {
		err = terminal.Table(p.stdout, r.Rows())
	}
	if trouble := r.Forecast.Trouble(); err == nil && trouble != "" {
		err = fmt.Errorf("%s would not be sent: %s", r.Campaign, trouble)
	}
	return err
}

// offlineHelps adds the way out to an error of the deployment.
func offlineHelps(err, deployment error) error {
	if deployment == nil {
		return err
	}
	return errors.Join(err, errors.New(
		"without the deployment, give `fanmail plan --offline --rate R --quota Q` what the SES account allows"))
}

// ask gathers the facts and finds out who is still to be mailed.
func (p *program) ask(
	ctx context.Context, aws *cloud.Cloud, source launch.Source, r *dryrun.Result, a dryrun.Assumptions,
) (dryrun.Facts, error) {
	facts, err := dryrun.Ask(ctx, aws, a)
	if err != nil {
		return facts, err
	}
	switch report, err := aws.Status(ctx, source.Campaign); {
	case err == nil && r.Resume(report):
	case err == nil, cloud.IsUnknownCampaign(err):
		if err := r.Suppress(ctx, aws, *source.Folder, p.progress()); err != nil {
			if ctx.Err() != nil {
				return facts, err
			}
			r.Notes = append(r.Notes, fmt.Sprintf("it is not known who is suppressed: %v", err))
		}
	default:
		return facts, err
	}
	return facts, nil
}
