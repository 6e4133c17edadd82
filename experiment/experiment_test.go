package experiment

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake is an experiment that measures what it is told to.
type fake struct {
	Options
	result Result
	err    error
	waits  bool
}

func (f *fake) Measure(ctx context.Context, _ io.Writer) (Result, error) {
	if f.waits {
		return nil, fmt.Errorf("half-way: %w", Wait(ctx, time.Hour))
	}
	f.Progress("%d of %d", 1, 2)
	return f.result, f.err
}

type fakeResult struct{ Wrong []string }

func (r fakeResult) WriteTable(w io.Writer) error { _, err := fmt.Fprintln(w, "the table"); return err }
func (r fakeResult) Problems() []string           { return r.Wrong }

func TestAProgramFailsWithEveryProblemAndShowsWhatItMeasured(t *testing.T) {
	for _, test := range []struct {
		name           string
		fake           fake
		args           string
		code           int
		stdout, stderr string
	}{
		{"all is well", fake{result: fakeResult{}}, "", 0, "the table\n", "1 of 2\n"},
		{"problems", fake{result: fakeResult{[]string{"one", "two"}}}, "", ExitFailed, "the table\n", "1 of 2\ntest: one\ntwo\n"},
		{"a failure beside a result", fake{result: fakeResult{}, err: errors.New("can't clean up")}, "", ExitFailed, "the table\n", "1 of 2\ntest: can't clean up\n"},
		{"a failure", fake{err: errors.New("no PostgreSQL")}, "", ExitFailed, "", "1 of 2\ntest: no PostgreSQL\n"},
		{"no time", fake{waits: true}, "--timeout 1ms", ExitFailed, "", "test: half-way: the experiment was not done after 1ms (--timeout)\n"},
		{"no sense", fake{}, "--timeout 0s", ExitUsage, "", "test: --timeout 0s: it must be more than 0\n"},
		{"words", fake{}, "more", ExitUsage, "", "test: \"more\": there are no arguments beside the options\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			read := func(args []string, stderr io.Writer) (*fake, error) {
				flags := flag.NewFlagSet("test", flag.ContinueOnError)
				flags.SetOutput(stderr)
				return &test.fake, test.fake.Parse(flags, args, time.Minute)
			}
			var stdout, stderr strings.Builder
			code := Run(t.Context(), "test", append([]string{"--out", out}, strings.Fields(test.args)...), &stdout, &stderr, read)
			if code != test.code || stdout.String() != test.stdout || stderr.String() != test.stderr {
				t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
			_, err := os.Stat(filepath.Join(out, "result.json"))
			if written := err == nil; written != (test.fake.result != nil) {
				t.Errorf("result.json: %v", err)
			}
		})
	}
}
