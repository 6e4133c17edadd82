package main

import (
	"context"
	"errors"
	"io"

	"fanmail/experiment"
)

func main() { experiment.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return experiment.Run(ctx, "chaos", args, stdout, stderr, readOptions)
}

// Measure runs it. The files of a run that went wrong stay.
func (o *options) Measure(ctx context.Context, stderr io.Writer) (_ experiment.Result, err error) {
	allowed, err := readEdges(o.guarantees)
	if err != nil {
		return nil, err
	}
	s, err := newStage(o)
	if err != nil {
		return nil, err
	}
	good := false
	defer func() { err = errors.Join(err, s.close(good)) }()
	if err := s.run(ctx, allowed); err != nil {
		s.describe(stderr)
		return nil, err
	}
	if good = len(s.result.Problems()) == 0; !good {
		s.describe(stderr)
	}
	return s.result, nil
}
