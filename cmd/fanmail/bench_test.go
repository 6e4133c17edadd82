package main

import (
	"strings"
	"testing"
)

func TestBenchRefusesWhatItCannotMeasure(t *testing.T) {
	for args, want := range map[string]string{
		"bench a":                 `unknown command "a" for "fanmail bench"`,
		"bench --recipients 0":    "--recipients 0: it takes at least 1",
		"bench --latency -1s":     "--latency -1s: it can't be less than 0",
		"bench --latency 5":       `invalid argument "5" for "--latency" flag`,
		"bench --senders -1":      "--senders -1: it takes at least 1",
		"bench --lambdas a --x":   "unknown flag: --x",
		"bench loop --first none": `invalid argument "none" for "--first" flag`,
	} {
		got := fanmail(t, nil, strings.Fields(args)...)
		if got.code != exitUsage || got.stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q", args, got.code, got.stdout)
		}
		wantLines(t, got.stderr, want)
	}
}

func TestBenchNamesMissingBinaries(t *testing.T) {
	folder := t.TempDir() + "/none"
	got := fanmail(t, nil, "bench", "--lambdas", folder)
	if got.code != exitFailed {
		t.Errorf("exit code %d", got.code)
	}
	wantLines(t, got.stderr, "no Lambda binaries in "+folder+": run `make build`, or name their folder with --lambdas")
}

func TestTheBareLoopIsNoVerbForUsers(t *testing.T) {
	got := fanmail(t, nil, "bench", "--help")
	if got.code != exitOK || strings.Contains(got.stdout, "One process of the bare loop") {
		t.Errorf("exit code %d:\n%s", got.code, got.stdout)
	}
}
