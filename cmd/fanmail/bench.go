package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanmail/cmd/fanmail/internal/bench"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/examples"
	"fanmail/local"
	"fanmail/shared/cloud"
	"fanmail/shared/deployment"
	"fanmail/shared/mailer"
)

type benchOptions struct {
	runtimeFlags
	recipients int64
	latency    time.Duration
	json       bool
}

func (p *program) bench() *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure a campaign on this machine against the bare loop of SES calls",
		Long: `Bench sends the example campaign to a generated list through the local runtime, and then the same messages by the
bare loop: as many processes as there were senders, with the same SES client, the same calls in flight and the same
local SES, but no database, no state machine and no Lambda. A small campaign before them starts the senders, which
stay warm. Everything shares the processors of this machine, SES and PostgreSQL included, so the figures compare
with each other and not with AWS.

PostgreSQL is that of DATABASE_URL if it is set, else a private one for the while, which does not wait for the disk.`,
		Example: `  fanmail bench
  fanmail bench --recipients 200000 --senders 4
  fanmail bench --latency 50ms
  fanmail bench --json | tail -1 | jq .ratio`,
		Args: cobra.MatchAll(cobra.NoArgs, func(c *cobra.Command, _ []string) error { return o.validate(c.Flags()) }),
		RunE: func(c *cobra.Command, _ []string) error { return p.runBench(c.Context(), o) },
	}
	o.register(c.Flags())
	c.Flags().Int64Var(&o.recipients, "recipients", 100_000, "the length of the list")
	c.Flags().DurationVar(&o.latency, "latency", 0, "the time that SES takes to answer, on top of its work")
	c.Flags().BoolVar(&o.json, "json", false, "print the result as one JSON object")
	c.AddCommand(p.benchLoop())
	return c
}

func (o *benchOptions) validate(flags *pflag.FlagSet) error {
	if o.recipients < 1 {
		return fmt.Errorf("--recipients %d: it takes at least 1", o.recipients)
	}
	if o.latency < 0 {
		return fmt.Errorf("--latency %s: it can't be less than 0", o.latency)
	}
	return o.runtimeFlags.validate(flags)
}

func (p *program) runBench(ctx context.Context, o benchOptions) (err error) {
	options, err := o.options(p)
	if err != nil {
		return err
	}
	options.MaxSendRate, options.Max24HourSend, options.SESLatency = demoRate, -1, o.latency
	options.FunctionEnvironment, options.CountStatements = bench.FunctionEnvironment(), true
	progress := p.progress()
	progress.Step("starting the local runtime")
	runtime, err := local.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	aws := openRuntime(runtime)
	b := bench.Bench{
		Folder: folder.Folder{Name: examples.SpringSaleName, FS: examples.SpringSale()}, Recipients: o.recipients,
		Cloud: aws, Runtime: runtime, Progress: progress, Loop: loopProcess(runtime),
	}
	if options.DatabaseURL != "" {
		b.Version = time.Now().UTC().Format("-20060102-150405")
	}
	result, err := b.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	if o.json {
		return terminal.JSON(p.stdout, result)
	}
	return terminal.Table(p.stdout, result.Rows())
}

// loopProcess starts this program as a process of the bare loop. Of the environment it has what the sender function has from
// the runtime and from the deployment, which may tune Go's garbage collector, and nothing else.
func loopProcess(runtime *local.Runtime) func(context.Context, bench.Share) (*bench.Process, error) {
	return func(ctx context.Context, share bench.Share) (*bench.Process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		functions, err := deployment.Functions()
		if err != nil {
			return nil, err
		}
		command := exec.CommandContext(ctx, self, "bench", "loop", "--first", strconv.FormatInt(share.First, 10), "--last", strconv.FormatInt(share.Last, 10))
		for _, v := range runtime.Environment() {
			command.Env = append(command.Env, v.Name+"="+v.Value)
		}
		for name, value := range deployment.Find(functions, "send").Environment {
			command.Env = append(command.Env, name+"="+value)
		}
		return bench.StartProcess(command)
	}
}

// benchLoop is the bare loop's process.
func (p *program) benchLoop() *cobra.Command {
	var share bench.Share
	c := &cobra.Command{
		Use: "loop", Short: "One process of the bare loop", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := cloud.Config(c.Context())
			if err != nil {
				return err
			}
			timeout, err := cloud.SendTimeout()
			if err != nil {
				return err
			}
			return bench.Loop{
				Folder: folder.Folder{Name: examples.SpringSaleName, FS: examples.SpringSale()}, Share: share,
				SES: cloud.Sender(config, mailer.Parallel, timeout),
			}.Run(c.Context(), os.Stdin, p.stdout)
		},
	}
	c.Flags().Int64Var(&share.First, "first", 1, "the first recipient")
	c.Flags().Int64Var(&share.Last, "last", 1, "the last recipient")
	return c
}
