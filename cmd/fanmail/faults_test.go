package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"

	"fanmail/local/faults"
)

func TestFaultsComeFromAFileOrFromTheCommandLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "faults.json")
	if err := os.WriteFile(file, []byte(`{"seed": 3, "ses": {"throttle": 0.25}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	throttle := faults.SES{Throttle: 0.25}
	for _, c := range []struct {
		args []string
		want faults.Settings
	}{
		{nil, faults.Settings{}},
		{[]string{"--seed", "9"}, faults.Settings{Seed: 9}},
		{[]string{"--faults", file}, faults.Settings{Seed: 3, SES: throttle}},
		{[]string{"--faults", file, "--seed", "0"}, faults.Settings{SES: throttle}},
		{[]string{"--faults", ` {"ses": {"throttle": 0.25}}`, "--seed", "9"}, faults.Settings{Seed: 9, SES: throttle}},
	} {
		var f faultsFlags
		flags := pflag.NewFlagSet("local", pflag.ContinueOnError)
		f.register(flags)
		if err := flags.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		if got, err := f.settings(); err != nil || got != c.want {
			t.Errorf("%q: %+v %v", c.args, got, err)
		}
	}
}

func TestEveryProblemOfTheFaultsIsALine(t *testing.T) {
	lambdas := t.TempDir()
	got := fanmail(t, nil, "local", "--lambdas", lambdas, "--faults", `{"ses": {"throttle": 2, "drop": -1}}`)
	wantLines(t, got.stderr, "--faults: the faults: ses.drop is -1: a share is 0 to 1", "--faults: the faults: ses.throttle is 2")
	nowhere := filepath.Join(lambdas, "faults.json")
	missing := fanmail(t, nil, "local", "--lambdas", lambdas, "--faults", nowhere)
	wantLines(t, missing.stderr, "reading --faults: open "+nowhere)
	if got.code != exitFailed || missing.code != exitFailed {
		t.Errorf("exit codes %d and %d", got.code, missing.code)
	}
}
