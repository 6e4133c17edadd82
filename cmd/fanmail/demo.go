package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/demo"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/examples"
	"fanmail/local"
)

type demoOptions struct {
	runtimeFlags
	recipients int64
	json       bool
}

// demoRate is the sending limit of the demo's SES, in recipients per second: beyond what one machine can send, because
// the demo shows the speed of the program and not of an account.
const demoRate = 100_000

func (p *program) demo() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Run a whole campaign on this machine, without AWS",
		Long: `Demo starts the local runtime (Step Functions, Lambda, S3 and SES as stand-ins on this machine, and a real
PostgreSQL), sends a campaign through it, the same way as in AWS, and compares what SES accepted with the list. No
mail leaves the machine.

The campaign is the folder DIR, or else the example spring-sale. With --recipients its list is replaced by a
generated one. PostgreSQL is that of DATABASE_URL if it is set, else a private one for the while.`,
		Example: `  fanmail demo
  fanmail demo --recipients 200000
  fanmail demo ./my-campaign --senders 4
  fanmail demo --recipients 10000 --json | tail -1 | jq .messagesPerSecond`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("%d arguments where at most one is wanted: fanmail %s", len(args), c.Use)
			}
			if c.Flags().Changed("recipients") && o.recipients < 1 {
				return fmt.Errorf("--recipients %d: it takes at least 1", o.recipients)
			}
			return o.validate(c.Flags())
		},
		RunE: func(c *cobra.Command, args []string) error { return p.runDemo(c.Context(), args, o) },
	}
	o.register(c.Flags())
	c.Flags().Int64Var(&o.recipients, "recipients", 0, "send to a generated list of this many instead of the campaign's own")
	c.Flags().BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	return c
}

func (p *program) runDemo(ctx context.Context, args []string, o demoOptions) (err error) {
	f, err := p.demoFolder(ctx, args, o.recipients)
	if err != nil {
		return err
	}
	options, err := o.options(p)
	if err != nil {
		return err
	}
	options.MaxSendRate, options.Max24HourSend = demoRate, -1
	progress := p.progress()
	progress.Step("starting the local runtime")
	runtime, err := local.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	aws := openRuntime(runtime)
	summary, err := demo.Demo{
		Folder: f, Cloud: aws, Endpoint: runtime.Endpoint(), Progress: progress,
		Measured: func() demo.Measured { return measure(runtime) },
	}.Run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if summary == nil {
		return err
	}
	return errors.Join(err, p.printSummary(*summary, args, o.json))
}

func measure(runtime *local.Runtime) demo.Measured {
	connections := runtime.Connections()
	m := demo.Measured{MaxConnections: connections.Peak() - connections.Baseline(), ConnectionBound: runtime.ConnectionBound()}
	for _, function := range runtime.Lambda().Stats() {
		m.Environments += function.Started
	}
	return m
}

// demoFolder is checked before anything is started; of a folder with a generated list only what is not generated.
func (p *program) demoFolder(ctx context.Context, args []string, recipients int64) (folder.Folder, error) {
	f := folder.Folder{Name: examples.SpringSaleName, FS: examples.SpringSale()}
	if len(args) > 0 {
		var err error
		if f, err = folder.Open(args[0]); err != nil {
			return f, err
		}
	}
	if p.getenv("DATABASE_URL") != "" {
		f = demo.Renamed(f, time.Now())
	}
	if recipients > 0 {
		return demo.Generate(f, recipients)
	}
	result, err := folder.Check(ctx, f, p.progress())
	if err != nil {
		return f, err
	}
	return f, result.Err()
}

func (p *program) printSummary(s demo.Summary, args []string, asJSON bool) error {
	if asJSON {
		return terminal.JSON(p.stdout, s)
	}
	if err := terminal.Table(p.stdout, s.Rows()); err != nil {
		return err
	}
	dir := "examples/" + examples.SpringSaleName
	if len(args) > 0 {
		dir = args[0]
	}
	see := fmt.Sprintf("%q shows one mail", "fanmail preview "+dir)
	if s.Rejected > 0 {
		see = fmt.Sprintf("%q says which lines were rejected, %s", "fanmail check "+dir, see)
	}
	_, err := fmt.Fprintf(p.stdout, `
See:  %s.
Next: "fanmail local" keeps this runtime up for the AWS CLI, its SDKs and "fanmail start", with a mailbox to look at;
      "fanmail check", "preview" and "start" work on your own campaign folder, which may start as a copy of examples/spring-sale.
`, see)
	return err
}
