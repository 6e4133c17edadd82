package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"fanmail/experiment"
	"fanmail/local/faults"
)

// options are those of the command line.
type options struct {
	experiment.Options
	recipients int64
	kills      int64
	restarts   int
	seed       int64
	// rate is SES's, in recipients per second.
	rate float64
	// sesTimeout bounds a call of SES; a claim lasts four times as long. grace is how long events may be on their way.
	sesTimeout, grace time.Duration
	// program is the binary of fanmail, lambdas the folder of the functions, guarantees the page with the diagram.
	program, lambdas, guarantees string
}

const (
	// killEvery is the mean time between two kills while senders work.
	killEvery = 200 * time.Millisecond
	// terminateEvery is the mean time between two ends of a database session.
	terminateEvery = time.Second
	// latency is the time that SES takes to answer: most kills then come while it has not.
	latency = 30 * time.Millisecond
	// visibility is when events come back whose function failed, or died with the runtime.
	visibility = 5 * time.Second
	// maxRecipients bounds a run; the list and the mailbox are compared in memory.
	maxRecipients = 1_000_000
	maxRestarts   = 100
)

// The shares of calls of SES and of events that go wrong.
const (
	throttled, internalError, lostAnswer = 0.05, 0.02, 0.01
	eventDoubled, deliveredTwice         = 0.10, 0.10
)

func readOptions(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Int64Var(&o.recipients, "recipients", 50_000, "the length of the list")
	flags.Int64Var(&o.kills, "kills", 1000, "how many senders are killed")
	flags.IntVar(&o.restarts, "restarts", 0, "how often the whole runtime is killed and started again")
	flags.Int64Var(&o.seed, "seed", 1, "decides which messages and events have which fault, and when the runtime is killed")
	flags.Float64Var(&o.rate, "rate", 0, "SES's rate in recipients per second (default: such that there is time for all kills)")
	flags.DurationVar(&o.sesTimeout, "ses-timeout", 2*time.Second, "FANMAIL_SES_TIMEOUT of the functions")
	flags.DurationVar(&o.grace, "grace", 0, "FANMAIL_GRACE of the functions (default: long enough for the latest event)")
	flags.StringVar(&o.program, "program", filepath.Join("bin", "fanmail"), "the fanmail command, as `make build` makes it")
	flags.StringVar(&o.lambdas, "lambdas", filepath.Join("bin", "lambdas"), "folder of the functions, as `make build` makes it")
	flags.StringVar(&o.guarantees, "guarantees", filepath.Join("docs", "guarantees.md"), "the page with the diagram of a recipient's states")
	if err := o.Parse(flags, args, 30*time.Minute); err != nil {
		return o, err
	}
	switch {
	case o.recipients < 1 || o.recipients > maxRecipients:
		return o, fmt.Errorf("--recipients %d: it takes 1 to %d", o.recipients, maxRecipients)
	case o.kills < 0:
		return o, fmt.Errorf("--kills %d: it can't be less than 0", o.kills)
	case o.restarts < 0 || o.restarts > maxRestarts:
		return o, fmt.Errorf("--restarts %d: it takes 0 to %d", o.restarts, maxRestarts)
	case !(o.rate >= 0):
		return o, fmt.Errorf("--rate %v: it can't be less than 0", o.rate)
	}
	if o.rate == 0 {
		o.rate = defaultRate(o.recipients, o.kills)
	}
	if o.grace == 0 {
		o.grace = o.defaultGrace()
	}
	return o, nil
}

// defaultRate would mail the list in less time than the kills take, if nothing went wrong. But each kill costs the claims of a
// sender, so that there is still something to mail at the last one.
func defaultRate(recipients, kills int64) float64 {
	const least, most = 50, 1000
	if kills == 0 {
		return most
	}
	return min(most, max(least, 1.3*float64(recipients)/(float64(kills)*killEvery.Seconds())))
}

// eventDelay is the most that an event is late: twice as long as a claim lasts, so that some come when it has run out.
func (o *options) eventDelay() time.Duration { return 8 * o.sesTimeout }

// defaultGrace is longer than an event takes that is late, waits for a batch, and fails once; and the runtime may be away.
func (o *options) defaultGrace() time.Duration {
	grace := o.eventDelay() + 8*time.Second
	if o.restarts > 0 {
		grace += 10 * time.Second
	}
	return grace
}

// faults are what goes wrong from now on. round counts how often they were set before: a runtime counts the calls of each
// recipient anew then, and with the same seed those that failed first would fail again and again.
func (o *options) faults(round int, kill bool) faults.Settings {
	s := faults.Settings{
		Seed:     o.seed*1_000_000 + int64(round),
		SES:      faults.SES{Throttle: throttled, InternalError: internalError, LoseAnswer: lostAnswer},
		Database: faults.Database{TerminateEveryMilliseconds: float64(terminateEvery.Milliseconds())},
		Events: faults.Events{
			Double: eventDoubled, DeliverTwice: deliveredTwice, DelayMilliseconds: float64(o.eventDelay().Milliseconds()),
		},
	}
	if kill {
		s.Send.KillEveryMilliseconds = float64(killEvery.Milliseconds())
	}
	return s
}
