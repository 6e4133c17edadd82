package main

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/jackc/pgx/v5"

	"fanmail/experiment"
	"fanmail/local/ses"
)

func main() { experiment.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return experiment.Run(ctx, "rate", args, stdout, stderr, readOptions)
}

// campaigns are the two that share the rate.
var campaigns = []string{"first", "second"}

// Measure mails the campaigns, and counts.
func (o *options) Measure(ctx context.Context, _ io.Writer) (_ experiment.Result, err error) {
	result := newResult(o)
	o.Progress("starting PostgreSQL and the local runtime, with %d senders and SES at %v recipients per second", o.senders, o.rate)
	s, err := openStage(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	o.Progress("starting the senders with a campaign of %s recipients", experiment.Number(o.warming()))
	if err := s.mail(ctx, o.warming(), warming); err != nil {
		return nil, err
	}
	if err := experiment.Wait(ctx, settling); err != nil {
		return nil, err
	}
	before := s.refused()
	o.Progress("mailing two campaigns of %s recipients, %s", experiment.Number(o.recipients), load())
	if err := s.mail(ctx, o.recipients, campaigns...); err != nil {
		return nil, err
	}
	result.Refused = s.refused() - before
	log, err := s.log(ctx)
	if err != nil {
		return nil, err
	}
	log = of(log, campaigns...)
	result.Senders = callers(log)
	result.Mailed, result.Doubled = experiment.Mailed(log)
	result.windows = countWindows(log, o.rate)
	rate, length := steadyRate(log, campaigns...)
	result.Rate, result.SteadySeconds = rate, length.Seconds()
	err = s.session(ctx, func(conn *pgx.Conn) error {
		result.GivenBack, err = givenBack(ctx, conn, campaigns)
		return err
	})
	if err != nil {
		return nil, err
	}
	if o.change {
		if result.Change, err = s.changeLimit(ctx); err != nil {
			return nil, err
		}
	}
	result.LoadAfter = load()
	return result, nil
}

// warming is the campaign before the two, so that the start of as many processes as there are senders, on one machine with SES, is
// not taken for Fanmail's.
const warming = "warming"

// warming is the length of its list: a few seconds.
func (o *options) warming() int64 { return int64(5 * o.rate) }

// mail mails campaigns of n recipients each to their ends, with all senders.
func (s *stage) mail(ctx context.Context, n int64, campaigns ...string) error {
	for _, name := range campaigns {
		if err := s.upload(ctx, name, n); err != nil {
			return err
		}
	}
	var executions []string
	for _, name := range campaigns {
		execution, err := s.start(ctx, name)
		if err != nil {
			return err
		}
		executions = append(executions, execution)
	}
	reinforcements := make([]func(context.Context) error, len(campaigns))
	for i, name := range campaigns {
		more := (s.options.senders+i)/len(campaigns) - s.options.planned()
		reinforcements[i] = func(ctx context.Context) error { return s.reinforce(ctx, name, executions[i], n, max(0, more)) }
	}
	return beside(ctx, func(ctx context.Context) error { return s.finish(ctx, executions...) }, reinforcements...)
}

// beside calls f and, at once, all others, and returns when all have. What waits for an execution would wait for ever when that has
// failed: the error of f ends the others, and is the error of all.
func beside(ctx context.Context, f func(context.Context) error, others ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	problems := make([]error, len(others))
	var group sync.WaitGroup
	for i, other := range others {
		group.Go(func() { problems[i] = other(ctx) })
	}
	err := f(ctx)
	if err != nil {
		cancel()
	}
	group.Wait()
	if err != nil {
		return err
	}
	return errors.Join(problems...)
}

// refused is how many calls SES has not accepted.
func (s *stage) refused() int64 {
	// In this order a call under way counts as refused for a moment, and none is missed.
	accepted := s.runtime.SES().Accepted()
	return s.calls.Load() - accepted
}

// log reads SES's log.
func (s *stage) log(ctx context.Context) ([]ses.Entry, error) {
	log, err := experiment.Mailbox(ctx, s.runtime.Endpoint())
	if err != nil {
		return nil, err
	}
	return belonging(log)
}
