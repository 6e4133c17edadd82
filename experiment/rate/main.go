package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// exitUsage is for a command line that makes no sense, exitFailed for everything else.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program. What it measured is printed and written also when it is not as it should be.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "rate:", err)
		}
		return exitUsage
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("the experiment was not done after %s (--timeout)", o.timeout))
	defer cancel()
	o.progress = func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	result, err := measure(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		fmt.Fprintln(stderr, "rate:", err)
		return exitFailed
	}
	err = errors.Join(writeTable(stdout, result), writeResult(o.out, result))
	for _, problem := range result.Problems() {
		err = errors.Join(err, errors.New(problem))
	}
	if err != nil {
		fmt.Fprintln(stderr, "rate:", err)
		return exitFailed
	}
	return 0
}

// campaigns are the two that share the rate.
var campaigns = []string{"first", "second"}

func measure(ctx context.Context, o options) (result *Result, err error) {
	result = newResult(o)
	o.progress("starting PostgreSQL and the local runtime, with %d senders and SES at %v recipients per second", o.senders, o.rate)
	s, err := openStage(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	o.progress("starting the senders with a campaign of %s recipients", number(o.warming()))
	if err := s.mail(ctx, o.warming(), warming); err != nil {
		return nil, err
	}
	if err := wait(ctx, settling); err != nil {
		return nil, err
	}
	before := s.refused()
	o.progress("mailing two campaigns of %s recipients, %s", number(o.recipients), load())
	if err := s.mail(ctx, o.recipients, campaigns...); err != nil {
		return nil, err
	}
	result.Senders = s.runtime.Lambda().Stats()[sender].PeakConcurrency
	result.Refused = s.refused() - before
	log, err := s.log()
	if err != nil {
		return nil, err
	}
	log = of(log, campaigns...)
	result.Mailed, result.Doubled = countMails(log)
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
func (o options) warming() int64 { return int64(5 * o.rate) }

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
	problems := make([]error, len(campaigns))
	var group sync.WaitGroup
	for i, name := range campaigns {
		more := (s.options.senders+i)/len(campaigns) - s.options.planned()
		group.Go(func() { problems[i] = s.reinforce(ctx, name, executions[i], n, max(0, more)) })
	}
	err := s.finish(ctx, executions...)
	group.Wait()
	return errors.Join(append(problems, err)...)
}

// refused is how many calls SES has not accepted.
func (s *stage) refused() int64 {
	// In this order a call under way counts as refused for a moment, and none is missed.
	accepted := s.runtime.SES().Accepted()
	return s.calls.Load() - accepted
}

// log reads SES's log.
func (s *stage) log() ([]accepted, error) {
	var text bytes.Buffer
	if err := s.runtime.SES().Mailbox(&text); err != nil {
		return nil, err
	}
	return readLog(&text)
}

func writeResult(directory string, result *Result) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "result.json"), append(text, '\n'), 0o644)
}
