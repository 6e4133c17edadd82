package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/cmd/fanmail/internal/when"
	"fanmail/shared/deployment"
	"fanmail/shared/schedule"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

const (
	// maxDelay is how late a campaign may start by default: an hour outlasts most troubles of a service, and leaves
	// the day as it was meant. Scheduler's own default is a day.
	maxDelay = time.Hour
	// leastDelay and mostDelay are Scheduler's bounds.
	leastDelay, mostDelay = time.Minute, 24 * time.Hour
	// farthest is how far ahead a frozen folder may be scheduled: the bucket's lifecycle removes it after 400 days.
	farthest = 366 * 24 * time.Hour
)

// laterFlags are those with which a campaign is scheduled.
type laterFlags struct {
	when.Flags
	latest   bool
	maxDelay time.Duration
}

func (f *laterFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.At, "at", "", "start once, at this local `TIME`: '2026-12-01 09:00'")
	flags.StringVar(&f.Cron, "cron", "", "start again and again, by an `EXPRESSION` of EventBridge Scheduler: '0 9 ? * MON *'")
	flags.StringVar(&f.Every, "every", "", "start again and again after a `DURATION`: 7d, 36h, '2 hours'")
	flags.StringVar(&f.Zone, "zone", "", "time zone of --at and --cron, an IANA `NAME` such as Asia/Seoul (default: this machine's)")
	flags.BoolVar(&f.latest, "latest", false, "with --at: send the folder as it then stands in the bucket, not as it is now")
	flags.DurationVar(&f.maxDelay, "max-delay", maxDelay, "how late a scheduled campaign may start; 1m to 24h")
}

// check refuses flags that do not go together.
func (f *laterFlags) check(flags *pflag.FlagSet) error {
	if flags.Changed("zone") && f.Zone == "" {
		return errors.New("--zone is empty: name one, or leave it out for this machine's")
	}
	for name, value := range map[string]string{"at": f.At, "cron": f.Cron, "every": f.Every} {
		// A script whose variable is empty must not start the campaign at once.
		if flags.Changed(name) && value == "" {
			return fmt.Errorf("--%s is empty: leave it out to start at once", name)
		}
	}
	if !f.Given() {
		for _, name := range []string{"zone", "latest", "max-delay"} {
			if flags.Changed(name) {
				return fmt.Errorf("--%s is for a schedule: give --at, --cron or --every too", name)
			}
		}
		return nil
	}
	for _, name := range []string{"execution-name", "follow"} {
		if flags.Changed(name) {
			return fmt.Errorf("--%s does not go with --at, --cron and --every", name)
		}
	}
	if f.maxDelay < leastDelay || f.maxDelay > mostDelay {
		return fmt.Errorf("--max-delay %v: it must be 1m to 24h", f.maxDelay)
	}
	return nil
}

const laterHelp = `

With --at, --cron or --every the campaign is scheduled through EventBridge Scheduler. --at starts it once: the
folder is checked and frozen now, and what goes out is what was checked. --cron and --every make a recurring
campaign: the folder is uploaded now, and each run is a campaign of its own, named with its time in UTC
(news-20261201-0900), from the folder as it then stands in the bucket; "fanmail upload" replaces it. The first run
of --every is one duration from now.

Local times that do not exist because the clocks go forward are refused by --at and left out by --cron. Where they
go back, a time that comes twice starts one campaign. A schedule that could not start its campaign within
--max-delay does not start it at all.`

const laterExamples = `
  fanmail start ./spring-sale --at '2026-12-01 09:00' --zone Asia/Seoul
  fanmail start ./news --cron '0 9 ? * MON *' --zone Europe/Berlin`

// openSchedules opens the deployment with its schedules, and what else the verb needs.
func (p *program) openSchedules(ctx context.Context, needs ...deployment.Output) (*cloud.Schedules, error) {
	aws, err := p.open(ctx, append(needs, cloud.ScheduleParts...)...)
	if err != nil {
		return nil, err
	}
	return aws.Schedules(ctx), nil
}

// later is a campaign that is being scheduled.
type later struct {
	when   when.Time
	source launch.Source
	stamp  string
	laterFlags
}

// runLater schedules a campaign. Whatever is wrong with the command line, the folder and the settings is reported
// together.
func (p *program) runLater(ctx context.Context, argument string, o startOptions) error {
	l := later{laterFlags: o.laterFlags, stamp: launch.Stamp(argument)}
	aws, missing := p.openSchedules(ctx, deployment.ControlFunction)
	var bad, problems error
	l.when, bad = when.Read(o.Flags, p.getenv)
	l.source, problems = launch.Find(ctx, argument, p.progress())
	if bad == nil {
		_, bad = l.first(time.Now(), l.begin(time.Now()))
	}
	if err := errors.Join(bad, l.checkSource(), problems, missing); err != nil {
		return err
	}
	made, now, err := p.schedule(ctx, aws, l)
	if err != nil {
		return err
	}
	return p.printScheduled(aws, made, now, o.json)
}

// begin is the first moment of a rate, zero for others.
func (l later) begin(now time.Time) time.Time {
	if l.when.Every == 0 {
		return time.Time{}
	}
	return now.Add(l.when.Every).Truncate(time.Second)
}

// first is when it starts first. The error says why that is never, or too far away.
func (l later) first(now, begin time.Time) (time.Time, error) {
	if begin.IsZero() {
		begin = now
	}
	next, ok := l.when.Expression.Next(now, begin)
	switch {
	case !ok && l.when.OneTime():
		return next, fmt.Errorf("%s is past: it is %s", when.Show(next, l.when.Zone), when.Show(now, l.when.Zone))
	case !ok:
		return next, fmt.Errorf("%s never comes", l.when.Expression)
	case l.when.OneTime() && !l.latest && next.Sub(now) > farthest:
		return next, fmt.Errorf("%s is more than a year away: a folder is kept frozen for a year; give --latest to send what is in the bucket then",
			when.Show(next, l.when.Zone))
	}
	return next, nil
}

// checkSource refuses what only matters for a schedule.
func (l later) checkSource() error {
	recurring := l.Cron != "" || l.Every != ""
	name := l.source.Campaign
	var problems []error
	if recurring && len(name) > schedule.MaxRecurringName {
		problems = append(problems, fmt.Errorf("%s has %d characters: the name of a recurring campaign has %d at most, because the time of each run is put behind it",
			name, len(name), schedule.MaxRecurringName))
	}
	if recurring && l.latest {
		problems = append(problems,
			errors.New("--latest is for --at: a recurring campaign always takes the folder as it then stands"))
	}
	if !recurring && !l.latest && name != "" && l.source.Folder == nil {
		problems = append(problems, fmt.Errorf("there is no folder %s here: give the folder, so that it is checked and frozen, or --latest for what is in the bucket then",
			name))
	}
	return errors.Join(problems...)
}

// schedule uploads the folder and makes the schedule. When that fails, nothing of it is left.
func (p *program) schedule(ctx context.Context, aws *cloud.Schedules, l later) (cloud.Schedule, time.Time, error) {
	name := l.source.Campaign
	made := cloud.Schedule{Name: name, Expression: l.when.Expression.String(), Zone: l.when.Zone,
		MaxDelay: l.maxDelay, Input: workflow.ExecutionInput{Campaign: name}}
	found, now, err := aws.FindSchedule(ctx, name)
	if err != nil {
		return made, now, err
	}
	if found {
		return made, now, cloud.AlreadyScheduled(name)
	}
	made.Created, made.Begin = now, l.begin(now)
	first, err := l.first(now, made.Begin)
	if err != nil {
		return made, now, err
	}
	may := l.source.Uploadable
	if l.when.OneTime() {
		may = l.source.Startable
		made.Execution, made.Input.Folder = launch.ScheduledName(name, first), storage.CampaignFolder(name)
	} else {
		made.Input.ScheduledTime = cloud.ScheduledTime
	}
	if err := may(ctx, aws); err != nil {
		return made, now, err
	}
	undo := func(err error) error { return err }
	switch {
	case l.source.Folder == nil:
		err = l.source.Bring(ctx, aws, p.progress())
	case l.when.OneTime() && !l.latest:
		made.Input.Folder = storage.FrozenFolder(name, launch.FreezeID(now))
		undo = func(err error) error {
			// Also when the user interrupts: what was uploaded has addresses in it.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			return errors.Join(err, aws.RemoveFolder(ctx, made.Input.Folder))
		}
		made.Checked.Digest, err = l.source.Freeze(ctx, aws, made.Input.Folder, l.stamp, p.progress())
	default:
		made.Checked.Digest, err = l.source.Place(ctx, aws, l.stamp, p.progress())
	}
	if err != nil {
		return made, now, undo(err)
	}
	if l.source.Checked != nil {
		made.Checked.Recipients, made.Checked.Rejected, made.Checked.At = l.source.Checked.Recipients, l.source.Checked.Rejected, now.UTC()
	}
	err = aws.CreateSchedule(ctx, made)
	if maybe, ok := errors.AsType[*cloud.MaybeScheduled](err); ok {
		// A schedule that exists must keep its folder, or it would start a campaign without one.
		look, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if found, _, failed := aws.FindSchedule(look, name); found || failed != nil {
			return made, now, err
		}
		err = maybe.Err
	}
	if err != nil {
		return made, now, undo(err)
	}
	return made, now, nil
}
