// Package experiment holds what the programs below it have in common: how they are called, how they end, and how they show what
// they have measured.
package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// ExitUsage is for a command line that makes no sense, ExitFailed for everything else.
const (
	ExitFailed = 1
	ExitUsage  = 2
)

// Options are those that every experiment has.
type Options struct {
	timeout time.Duration
	out     string
	// Progress tells the reader what is going on.
	Progress func(format string, args ...any)
}

// Parse adds the options to the flags, of which it takes the name, and reads the command line.
func (o *Options) Parse(flags *flag.FlagSet, args []string, timeout time.Duration) error {
	flags.DurationVar(&o.timeout, "timeout", timeout, "give up after this time, and tell how everything stands")
	flags.StringVar(&o.out, "out", filepath.Join("bin", flags.Name()), "folder that gets result.json")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("%q: there are no arguments beside the options", flags.Arg(0))
	case o.timeout <= 0:
		return fmt.Errorf("--timeout %s: it must be more than 0", o.timeout)
	}
	return nil
}

func (o *Options) common() *Options { return o }

// Experiment is a command line that was read; it embeds Options.
type Experiment interface {
	common() *Options
	// Measure returns what there is, also beside an error. stderr is for what somebody needs who has to find out what went wrong.
	Measure(ctx context.Context, stderr io.Writer) (Result, error)
}

// Result is what was measured; it is written as JSON.
type Result interface {
	// WriteTable writes it for a reader.
	WriteTable(io.Writer) error
	// Problems are the sentences that say what is not as it should be.
	Problems() []string
}

// Problems collects those of a result.
type Problems []string

// Say adds a sentence if something is wrong.
func (p *Problems) Say(wrong bool, format string, args ...any) {
	if wrong {
		*p = append(*p, fmt.Sprintf(format, args...))
	}
}

// Main runs a program with its command line until it ends or is interrupted; a second Ctrl-C ends it at once.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Run is a program of the name. What it measured is printed and written also when it is not as it should be.
func Run[E Experiment](ctx context.Context, name string, args []string, stdout, stderr io.Writer, read func(args []string, stderr io.Writer) (E, error)) int {
	e, err := read(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(stderr, "%s: %v\n", name, err)
		}
		return ExitUsage
	}
	o := e.common()
	o.Progress = func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("the experiment was not done after %s (--timeout)", o.timeout))
	defer cancel()
	result, err := e.Measure(ctx, stderr)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if result != nil {
		err = errors.Join(err, result.WriteTable(stdout), write(o.out, result))
		for _, problem := range result.Problems() {
			err = errors.Join(err, errors.New(problem))
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return ExitFailed
	}
	return 0
}

func write(directory string, result Result) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "result.json"), append(text, '\n'), 0o644)
}
