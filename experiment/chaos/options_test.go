package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fanmail/experiment"
)

func TestTheCommandLineIsChecked(t *testing.T) {
	for args, want := range map[string]string{
		"--recipients 0":       "--recipients 0: it takes 1 to 1000000",
		"--recipients 2000000": "--recipients 2000000: it takes 1 to 1000000",
		"--recipients many":    "invalid value",
		"--kills -1":           "--kills -1: it can't be less than 0",
		"--restarts 101":       "--restarts 101: it takes 0 to 100",
		"--restarts -1":        "--restarts -1: it takes 0 to 100",
		"--rate -1":            "--rate -1: it can't be less than 0",
		"--rate NaN":           "--rate NaN: it can't be less than 0",
		"--timeout 0s":         "--timeout 0s: it must be more than 0",
		"more":                 `"more": there are no arguments`,
	} {
		var stderr, stdout strings.Builder
		if code := run(t.Context(), strings.Fields(args), &stdout, &stderr); code != experiment.ExitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %s", args, code, stderr.String())
		}
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	// A run that went wrong keeps its files.
	t.Setenv("TMPDIR", t.TempDir())
	for args, want := range map[string]string{
		"--guarantees /nowhere.md":                                       "reading the diagram of states: open /nowhere.md",
		"--guarantees " + guaranteesPage + " --program /nowhere/fanmail": "running /nowhere/fanmail",
	} {
		var stderr, stdout strings.Builder
		if code := run(t.Context(), strings.Fields(args), &stdout, &stderr); code != experiment.ExitFailed || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %s", args, code, stderr.String())
		}
	}
}

func TestDefaultsLeaveTimeForTheKillsAndTheEvents(t *testing.T) {
	for _, c := range []struct {
		args  []string
		rate  float64
		grace time.Duration
	}{
		{nil, 325, 24 * time.Second},
		{[]string{"--restarts", "1"}, 325, 34 * time.Second},
		{[]string{"--ses-timeout", "1s"}, 325, 16 * time.Second},
		{[]string{"--recipients", "100", "--kills", "1000"}, 50, 24 * time.Second},
		{[]string{"--kills", "0"}, 1000, 24 * time.Second},
		{[]string{"--rate", "20", "--grace", "3s"}, 20, 3 * time.Second},
	} {
		o, err := readOptions(c.args, new(strings.Builder))
		if err != nil || o.rate != c.rate || o.grace != c.grace {
			t.Errorf("%q: rate %v, grace %s, %v", c.args, o.rate, o.grace, err)
		}
	}
}

func TestFaultsMakeSenseAndKillsEnd(t *testing.T) {
	o := &options{seed: 3, sesTimeout: time.Second}
	killing, after := o.faults(0, true), o.faults(0, false)
	if err := killing.Validate(); err != nil {
		t.Error(err)
	}
	if killing.Send.KillEveryMilliseconds == 0 || after.Send.KillEveryMilliseconds != 0 {
		t.Error("kills don't begin or don't end")
	}
	if killing.Events.DelayMilliseconds <= 4000 {
		t.Error("no event comes when a claim has run out")
	}
	if o.faults(1, true).Seed == killing.Seed {
		t.Error("who had a fault has it again")
	}
	if killing.Send = after.Send; killing != after {
		t.Error("more than the kills has ended")
	}
}

func TestRestartsAreSpreadOverTheCampaign(t *testing.T) {
	o := &options{recipients: 10_000, restarts: 10, seed: 1}
	got := moments(o)
	for i, at := range got {
		if at < int64(i)*900 || at > int64(i+1)*900 {
			t.Errorf("restart %d is at message %d", i+1, at)
		}
	}
	if o.seed = 2; len(got) != 10 || slices.Equal(got, moments(o)) {
		t.Errorf("%d moments, or the seed changes nothing", len(got))
	}
}
