package main

import (
	"strings"
	"testing"

	"fanmail/experiment"
)

func TestTheCommandLineIsChecked(t *testing.T) {
	for args, want := range map[string]string{
		"--recipients 0":       "--recipients 0: it takes 1 to 1000000",
		"--recipients 2000000": "--recipients 2000000: it takes 1 to 1000000",
		"--recipients many":    "invalid value",
		"--only both":          "--only both: it takes naive or fanmail",
		"--latency -1s":        "--latency -1s: it can't be less than 0",
		"--timeout 0s":         "--timeout 0s: it must be more than 0",
		"more":                 `"more": there are no arguments`,
	} {
		var stderr, stdout strings.Builder
		if code := run(t.Context(), strings.Fields(args), &stdout, &stderr); code != experiment.ExitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit code %d, %s", args, code, stderr.String())
		}
	}
}

func TestMissingBinariesAreNamed(t *testing.T) {
	var stderr, stdout strings.Builder
	code := run(t.Context(), []string{"--only", "fanmail", "--lambdas", t.TempDir(), "--recipients", "1"}, &stdout, &stderr)
	if code != experiment.ExitFailed || !strings.Contains(stderr.String(), "build it with `make build`") {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
}
