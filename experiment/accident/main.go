package main

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

// run is the program. What it measured is printed and written also when the measurement is not as it should be.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := readOptions(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "accident:", err)
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
		fmt.Fprintln(stderr, "accident:", err)
		return exitFailed
	}
	err = errors.Join(writeTable(stdout, result), writeResult(o.out, result))
	for _, problem := range result.Problems() {
		err = errors.Join(err, errors.New(problem))
	}
	if err != nil {
		fmt.Fprintln(stderr, "accident:", err)
		return exitFailed
	}
	return 0
}

// measure runs the halves one after the other, each on a server of its own.
func measure(ctx context.Context, o options) (*Result, error) {
	result := newResult(o)
	for _, half := range []struct {
		name string
		run  func(context.Context, options) (Half, error)
	}{{naiveName, runNaive}, {fanmailName, runFanmail}} {
		if o.only != "" && o.only != half.name {
			continue
		}
		h, err := half.run(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", half.name, err)
		}
		result.Halves = append(result.Halves, h)
	}
	return result, nil
}

func writeResult(directory string, result *Result) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, "result.json"), append(text, '\n'), 0o644)
}

// quarter is how often an execution is asked whether it has ended.
const quarter = 250 * time.Millisecond
