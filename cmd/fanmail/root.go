package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/examples"
	"fanmail/shared/campaign"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	// exitInterrupted is what a shell says of a program that Ctrl-C ended.
	exitInterrupted = 130
)

const rootHelp = `Fanmail sends a mail campaign to hundreds of thousands of recipients through Amazon SES, from your own AWS account.

A campaign is a folder with campaign.yaml, its templates and recipients.csv.

fanmail finds the deployment by the outputs of its CloudFormation stack, fanmail-STAGE. Which stage, region and AWS
profile, it reads from the first of these that says so:
  1. the flags --stage, --region and --profile
  2. --deployment NAME, a deployment that "fanmail use" has named
  3. the environment: FANMAIL_STAGE, AWS_REGION, AWS_PROFILE and what else the AWS SDK reads (AWS_ENDPOINT_URL ...)
  4. the deployment of FANMAIL_DEPLOYMENT, or the one that is in use
Without a stage it takes the only stack of Fanmail in the region. "fanmail whoami" shows what is found, and by what.

An environment variable (FANMAIL_BUCKET, FANMAIL_STATE_MACHINE_ARN, FANMAIL_CONTROL_FUNCTION ...) wins over the
output of the stack; "fanmail local" prints all of them for the local runtime. With --stage or --deployment on the
command line, a variable that contradicts the stack is an error.

Exit codes:
  0    all went well
  1    the campaign or its execution failed, or the input has problems (each is one line on stderr)
  2    the command line is wrong
  130  it was interrupted, by Ctrl-C, SIGTERM or SIGHUP`

const rootExamples = `  fanmail demo                          see a whole campaign run on this machine, without AWS
  fanmail check ./spring-sale           find every problem of a campaign before a mail goes out
  fanmail preview ./spring-sale         see what the first recipient will get
  fanmail plan ./spring-sale            see how long it will take and what it will cost
  fanmail start ./spring-sale           upload the folder, start it and follow it
  fanmail status spring-sale            see how far it is
  fanmail report spring-sale            see how it ended
  fanmail use prod --region eu-west-1   name a deployment, and use it from now on`

// program is what every verb needs from the process.
type program struct {
	getenv         func(string) string
	stdout, stderr io.Writer
	// flags say which deployment.
	flags deployments.Flags
}

func (p *program) progress() terminal.Progress { return terminal.NewProgress(p.stderr) }

// run executes one command line and returns the exit code. Cancelling ctx stops it cleanly.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	p := &program{getenv: getenv, stdout: stdout, stderr: stderr}
	root, started := p.root()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !*started {
		fmt.Fprintf(stderr, "fanmail: %s (see %s --help)\n", terminal.OneLine(err.Error()), command.CommandPath())
		return exitUsage
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "fanmail: "+interruption(err))
		return exitInterrupted
	}
	for _, line := range lines(err) {
		fmt.Fprintln(stderr, "fanmail: "+line)
	}
	return exitFailed
}

// root builds the command tree. What fails before started is set is a mistake in the command line.
func (p *program) root() (root *cobra.Command, started *bool) {
	started = new(bool)
	root = &cobra.Command{
		Use: "fanmail", Short: "Send mail campaigns through Amazon SES", Long: rootHelp, Example: rootExamples,
		Version: version(debug.ReadBuildInfo()), SilenceErrors: true, SilenceUsage: true,
		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			err := p.checkDeploymentFlags(c)
			*started = err == nil
			return err
		},
	}
	p.registerDeploymentFlags(root.PersistentFlags())
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddCommand(p.demo(), p.local(), p.bench(), p.budget(), p.doctor(), p.check(), p.preview(), p.plan(), p.start(), p.upload(), p.scheduleVerb(), p.status(), p.report(), p.rate(), p.resolve(), p.use(), p.whoami(), p.migrate(), p.importing())
	return root, started
}

// interruption is the one line for a Ctrl-C: what fails because of it is no news, but a campaign that goes on is.
func interruption(err error) string {
	if d, ok := errors.AsType[*follow.Detached](err); ok {
		return fmt.Sprintf("interrupted; %s goes on by itself: `fanmail status %s` shows how far it is", d.Campaign, d.Campaign)
	}
	if m, ok := errors.AsType[*cloud.MaybeScheduled](err); ok {
		return "interrupted; " + m.Advice()
	}
	return "interrupted"
}

func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q", args[0])
	if !c.HasParent() && slices.Contains([]string{"stop", "pause", "cancel", "abort"}, args[0]) {
		return fmt.Errorf("%s: a campaign stops when its execution is stopped, with `aws stepfunctions stop-execution`; "+
			"docs/operations.md has the steps", message)
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return errors.New(message)
}

// lines are the problems in err, one line each: errors that are joined, and lists of problems, have several. An indented
// line goes on with the one before, and so does all that follows a line that ends with a colon: the end of a log, for instance.
func lines(err error) []string {
	var all []string
	introduced := false
	for line := range strings.Lines(err.Error()) {
		text := strings.ReplaceAll(terminal.OneLine(line), context.Canceled.Error(), "interrupted")
		switch {
		case text == "":
		case len(all) > 0 && (introduced || strings.HasPrefix(line, "\t")):
			all[len(all)-1] += " " + text
		default:
			all = append(all, text)
		}
		introduced = introduced || strings.HasSuffix(text, ":")
	}
	return all
}

// oneArgument is for a verb whose Use names its argument.
func oneArgument(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%d arguments where one is wanted: fanmail %s", len(args), c.Use)
	}
	return nil
}

// oneName is for a verb whose one argument is the name of a campaign.
func oneName(c *cobra.Command, args []string) error {
	if err := oneArgument(c, args); err != nil || campaign.ValidName(args[0]) {
		return err
	}
	example := filepath.Base(args[0])
	if !campaign.ValidName(example) {
		example = examples.SpringSaleName
	}
	return fmt.Errorf("%s takes a NAME such as %s, not %q", c.Name(), example, args[0])
}
