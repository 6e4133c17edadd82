package main

import (
	"context"
	"errors"
	"testing"
)

func TestAFailureEndsWhatIsBesideIt(t *testing.T) {
	failed, lacking := errors.New("the execution failed"), errors.New("no sender")
	good := func(context.Context) error { return nil }
	fails := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		f      func(context.Context) error
		others []func(context.Context) error
		want   error
	}{
		"all is well":           {good, []func(context.Context) error{good, good}, nil},
		"nothing beside it":     {good, nil, nil},
		"it fails, others wait": {fails(failed), []func(context.Context) error{waits, waits}, failed},
		"both fail":             {fails(failed), []func(context.Context) error{fails(lacking)}, failed},
		"another fails":         {good, []func(context.Context) error{good, fails(lacking)}, lacking},
	} {
		t.Run(name, func(t *testing.T) {
			if err := beside(t.Context(), c.f, c.others...); !errors.Is(err, c.want) || c.want == failed && err != failed {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
