package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/examples"
	"fanmail/local"
)

type localOptions struct {
	runtimeFlags
	port             int
	directory        string
	rate, dailyQuota float64
	visibility       time.Duration
	environment      []string
	faultsFlags
}

func (p *program) local() *cobra.Command {
	var o localOptions
	c := &cobra.Command{
		Use:   "local",
		Short: "Run Fanmail's AWS stand-ins on this machine until Ctrl-C",
		Long: `Local starts the local runtime (Step Functions, Lambda, S3, SQS, SES and EventBridge Scheduler on one port, and a
real PostgreSQL) and keeps it up. It prints the export lines that make the AWS CLI, the SDKs and fanmail itself talk
to it, and a last line when it is ready. Of CloudFormation and STS it has what finds a deployment: the stack
fanmail-local, and the account. The example campaign spring-sale is in the bucket from the start. It is a runtime
for development: no mail leaves the machine.

PostgreSQL is that of DATABASE_URL if it is set, and the schema fanmail stays behind there; else it is a private
one, temporary unless --directory keeps it, with the schedules. A runtime that was killed goes on when it is started
with its --directory again; its executions are gone, so start the campaign again, too.

What SES accepted is at $AWS_ENDPOINT_URL/_mailbox.jsonl, a single message at $AWS_ENDPOINT_URL/_mailbox/<messageId>.

A POST of {"advance": "25h"} to $AWS_ENDPOINT_URL/_clock moves the clock of the ledger, of SES, of schedules and of
Wait states forward, so that a daily quota renews without a day's wait. GET $AWS_ENDPOINT_URL/_faults shows which
faults there are and what they have done, a POST replaces them: SES that throttles or loses its answer, senders that
are killed, database sessions that are terminated, events that are lost, doubled or late, schedules that come twice.
Their fields are explained in local/faults/settings.go.`,
		Example: `  fanmail local
  fanmail local --port 0 --rate 20 --senders 2
  fanmail local --directory ./runtime --seed 7 --faults '{"send": {"killEveryMilliseconds": 250}}'

In another terminal, after the export lines:
  aws stepfunctions start-execution --state-machine-arn "$FANMAIL_STATE_MACHINE_ARN" \
    --input '{"campaign":"spring-sale"}'
  fanmail status spring-sale
  curl "$AWS_ENDPOINT_URL/_mailbox.jsonl"
  curl "$AWS_ENDPOINT_URL/_faults" --data '{}'
  curl "$AWS_ENDPOINT_URL/_clock" --data '{"advance": "25h"}'`,
		Args: cobra.MatchAll(cobra.NoArgs, func(c *cobra.Command, _ []string) error { return o.validate(c.Flags()) }),
		RunE: func(c *cobra.Command, _ []string) error { return p.runLocal(c.Context(), o) },
	}
	o.runtimeFlags.register(c.Flags())
	o.faultsFlags.register(c.Flags())
	c.Flags().IntVar(&o.port, "port", 4580, "the port on 127.0.0.1; 0 takes a free one")
	c.Flags().StringVar(&o.directory, "directory", "", "folder that keeps all state and the logs (default: a temporary one)")
	c.Flags().Float64Var(&o.rate, "rate", 500, "SES's limit in recipients per second")
	c.Flags().Float64Var(&o.dailyQuota, "daily-quota", 50_000, "SES's limit in recipients per 24 hours; -1 is none")
	c.Flags().StringArrayVar(&o.environment, "env", nil, "`NAME=VALUE`, a variable for all functions, over theirs; may be repeated")
	c.Flags().DurationVar(&o.visibility, "visibility-timeout", 0, "after it, events of a killed function come back (default: as deployed)")
	return c
}

func (o *localOptions) validate(flags *pflag.FlagSet) error {
	if o.port < 0 || o.port > 65535 {
		return fmt.Errorf("--port %d: a port is 0 to 65535", o.port)
	}
	if !(o.rate > 0) {
		return fmt.Errorf("--rate %v: it must be more than 0", o.rate)
	}
	if !(o.dailyQuota > 0) && o.dailyQuota != -1 {
		return fmt.Errorf("--daily-quota %v: it must be more than 0, or -1 for none", o.dailyQuota)
	}
	for _, assignment := range o.environment {
		if name, _, ok := strings.Cut(assignment, "="); !ok || name == "" {
			return fmt.Errorf("--env %s: write NAME=VALUE", assignment)
		}
	}
	if o.visibility < 0 || o.visibility > 12*time.Hour {
		return fmt.Errorf("--visibility-timeout %v: it must be up to 12h", o.visibility)
	}
	return o.runtimeFlags.validate(flags)
}

func (p *program) runLocal(ctx context.Context, o localOptions) (err error) {
	options, err := o.options(p)
	if err != nil {
		return err
	}
	options.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port))
	options.Directory, options.MaxSendRate, options.Max24HourSend = o.directory, o.rate, o.dailyQuota
	options.VisibilityTimeout = o.visibility
	if options.Faults, err = o.settings(); err != nil {
		return err
	}
	options.FunctionEnvironment = map[string]string{}
	for _, assignment := range o.environment {
		name, value, _ := strings.Cut(assignment, "=")
		options.FunctionEnvironment[name] = value
	}
	progress := p.progress()
	progress.Step("starting the local runtime")
	runtime, err := local.Start(ctx, options)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken: use --port 0 for any free one", o.port)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	if err := uploadExample(ctx, runtime); err != nil {
		return err
	}
	progress.Done()
	if err := printEnvironment(p.stdout, runtime.Endpoint(), databaseOf(options), runtime.Environment()); err != nil {
		return err
	}
	<-ctx.Done()
	progress.Step("stopping the local runtime")
	return nil
}

// uploadExample makes the campaign spring-sale ready to be started.
func uploadExample(ctx context.Context, runtime *local.Runtime) error {
	aws := openRuntime(runtime)
	f := folder.Folder{Name: examples.SpringSaleName, FS: examples.SpringSale()}
	content, err := folder.Content(f)
	if err != nil {
		return err
	}
	return launch.Upload(ctx, aws, f, f.Name, content.Campaign.Files(), quiet{})
}

// quiet shows no progress.
type quiet struct{}

func (quiet) Step(string)                {}
func (quiet) Count(string, int64, int64) {}
func (quiet) Done()                      {}

// databaseOf says which database a runtime uses, without its password.
func databaseOf(o local.Options) string {
	config, err := pgx.ParseConfig(o.DatabaseURL)
	switch {
	case o.DatabaseURL != "" && err == nil:
		return fmt.Sprintf("%s on %s, from DATABASE_URL", config.Database, config.Host)
	case o.DatabaseURL != "":
		return "that of DATABASE_URL"
	case o.Directory != "":
		return "private, kept in " + o.Directory
	}
	return "private, temporary"
}

// printEnvironment writes lines that a POSIX shell can read; the last one says that the runtime is ready.
func printEnvironment(w io.Writer, endpoint, database string, environment []local.EnvVar) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# database: %s\n# Fanmail's local runtime is at %s. In another terminal:\n", database, endpoint)
	for _, v := range environment {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, quote(v.Value))
	}
	fmt.Fprintf(&b, "# ready: aws stepfunctions start-execution --state-machine-arn \"$FANMAIL_STATE_MACHINE_ARN\" "+
		"--input '{\"campaign\":\"%s\"}' works at once; Ctrl-C stops the runtime\n", examples.SpringSaleName)
	_, err := io.WriteString(w, b.String())
	return err
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]+$`)

// quote makes one word of a POSIX shell out of s.
func quote(s string) string {
	if bare.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
