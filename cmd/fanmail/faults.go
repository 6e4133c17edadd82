package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"fanmail/local/faults"
)

// faultsFlags say what goes wrong in the local runtime.
type faultsFlags struct {
	faults string
	seed   int64
	flags  *pflag.FlagSet
}

func (f *faultsFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.faults, "faults", "", "what goes wrong: a JSON file, or the JSON itself (default: nothing)")
	flags.Int64Var(&f.seed, "seed", 0, "the seed of the faults, over the one in --faults: the same seed, the same faults")
}

// settings reads --faults. The error has a line for every problem.
func (f *faultsFlags) settings() (faults.Settings, error) {
	text, where := f.faults, "--faults"
	if text != "" && !strings.HasPrefix(strings.TrimSpace(text), "{") {
		where = f.faults
		content, err := os.ReadFile(f.faults)
		if err != nil {
			return faults.Settings{}, fmt.Errorf("reading --faults: %w (give a file, or JSON such as '{\"ses\": {\"throttle\": 0.05}}')", err)
		}
		text = string(content)
	}
	var s faults.Settings
	if f.faults != "" {
		var err error
		if s, err = faults.Parse([]byte(text)); err != nil {
			return s, located(where, err)
		}
	}
	if f.flags.Changed("seed") {
		s.Seed = f.seed
	}
	return s, nil
}

// located puts a place before every line of an error.
func located(where string, err error) error {
	return fmt.Errorf("%s: %s", where, strings.ReplaceAll(err.Error(), "\n", "\n"+where+": "))
}
