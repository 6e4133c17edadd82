package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"fanmail/experiment"
)

// options are those of the command line.
type options struct {
	experiment.Options
	// recipients is the length of each of the two lists.
	recipients int64
	// rate is SES's limit in recipients per second.
	rate    float64
	senders int
	latency time.Duration
	// change is whether SES's limit is changed in the end.
	change bool
	// lambdas is the folder of the functions.
	lambdas string
}

// minSeconds is how long both campaigns must have something to send: the first two seconds and the last two don't count.
const minSeconds = 10

// maxRecipients bounds a run; the lists and the log are kept in memory.
const maxRecipients = 1_000_000

func readOptions(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("rate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Int64Var(&o.recipients, "recipients", 6000, "the length of each of the two lists")
	flags.Float64Var(&o.rate, "rate", 200, "SES's limit in recipients per second")
	flags.IntVar(&o.senders, "senders", 20, "how many senders work on the two campaigns")
	flags.DurationVar(&o.latency, "latency", 30*time.Millisecond, "the time that SES takes to answer")
	flags.BoolVar(&o.change, "change", true, "halve SES's limit in the end, and raise it again")
	flags.StringVar(&o.lambdas, "lambdas", filepath.Join("bin", "lambdas"), "folder of the functions, as `make build` makes it")
	if err := o.Parse(flags, args, 10*time.Minute); err != nil {
		return o, err
	}
	switch {
	case !(o.rate >= 1 && o.rate <= maxRecipients):
		return o, fmt.Errorf("--rate %v: it takes 1 to %d", o.rate, maxRecipients)
	case o.recipients > maxRecipients || float64(o.recipients) < o.rate/2*minSeconds:
		return o, fmt.Errorf("--recipients %d: it takes %.0f to %d, so that two campaigns at %v recipients per second last %d seconds",
			o.recipients, o.rate/2*minSeconds, maxRecipients, o.rate, minSeconds)
	case o.senders < 2:
		return o, fmt.Errorf("--senders %d: it takes at least one for each campaign", o.senders)
	case o.latency < 0:
		return o, fmt.Errorf("--latency %s: it can't be less than 0", o.latency)
	}
	return o, nil
}
