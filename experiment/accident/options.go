package main

import (
	"flag"
	"fmt"
	"io"
	"time"

	"fanmail/experiment"
)

// options are those of the command line.
type options struct {
	experiment.Options
	recipients int64
	only       string
	latency    time.Duration
	// lambdas is the folder of Fanmail's functions, naive the binary of the naive sender.
	lambdas, naive string
}

const (
	// maxConnections of both servers.
	maxConnections = 60
	// accountConcurrency stands for the 1,000 of an AWS account: the only cap on the naive senders, less than on AWS because
	// every environment is a process of this machine.
	accountConcurrency = 200
	// maxRecipients bounds a run; the list is made in memory.
	maxRecipients = 1_000_000
	// maxBatch is the largest batch of a naive invocation, and batches how many there are at least.
	maxBatch, batches = 50, 200
)

func readOptions(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	flags := flag.NewFlagSet("accident", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Int64Var(&o.recipients, "recipients", 20_000, "the length of the list")
	flags.StringVar(&o.only, "only", "", "run one half only: "+naiveName+" or "+fanmailName)
	flags.DurationVar(&o.latency, "latency", 20*time.Millisecond, "the time that SES takes to answer")
	flags.StringVar(&o.lambdas, "lambdas", "bin/lambdas", "folder of Fanmail's functions, as `make build` makes it")
	flags.StringVar(&o.naive, "naive", "bin/accident/naive/bootstrap", "the naive sender's binary")
	if err := o.Parse(flags, args, 30*time.Minute); err != nil {
		return o, err
	}
	switch {
	case o.recipients < 1 || o.recipients > maxRecipients:
		return o, fmt.Errorf("--recipients %d: it takes 1 to %d", o.recipients, maxRecipients)
	case o.only != "" && o.only != naiveName && o.only != fanmailName:
		return o, fmt.Errorf("--only %s: it takes %s or %s", o.only, naiveName, fanmailName)
	case o.latency < 0:
		return o, fmt.Errorf("--latency %s: it can't be less than 0", o.latency)
	}
	return o, nil
}

// batch is how many recipients one naive invocation mails: as many as one claim of Fanmail's sender takes, but less where
// the list would give too few batches to show anything.
func (o *options) batch() int64 {
	return max(1, min(maxBatch, o.recipients/batches))
}
