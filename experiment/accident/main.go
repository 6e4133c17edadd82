package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"fanmail/experiment"
)

func main() { experiment.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return experiment.Run(ctx, "accident", args, stdout, stderr, readOptions)
}

// Measure runs the halves one after the other, each on a server of its own.
func (o *options) Measure(ctx context.Context, _ io.Writer) (experiment.Result, error) {
	result := newResult(o)
	for _, half := range []struct {
		name string
		run  func(context.Context, *options) (Half, error)
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

// quarter is how often an execution is asked whether it has ended.
const quarter = 250 * time.Millisecond
