package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/local/localtest"
)

// binaries is the directory of the Lambda binaries, built once for all tests.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(localtest.Main(m, func(directory string) { binaries = directory }))
}

// TestNobodyIsLostOrMailedTwiceInChaos is the experiment in short: about a minute. `make chaos` is the long one.
func TestNobodyIsLostOrMailedTwiceInChaos(t *testing.T) {
	program, err := localtest.Command(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{
		"--recipients", "1500", "--kills", "25", "--rate", "200", "--restarts", "1", "--seed", "1", "--timeout", "4m", "--ses-timeout", "1s", "--grace", "20s",
		"--program", program, "--lambdas", binaries, "--guarantees", filepath.FromSlash(guaranteesPage), "--out", out,
	}, &stdout, &stderr)
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout.String(), stderr.String())
	}
	t.Logf("\n%s", stdout.String())
	text, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Recipients != 1500 || r.Mails != 1500 || r.Restarts != 1 || r.Faults.Kills < 25 || r.Executions < 2 || len(r.Problems()) != 0 {
		t.Errorf("result.json has %+v", r)
	}
	if !strings.Contains(stdout.String(), "1,500") {
		t.Errorf("the table is\n%s", stdout.String())
	}
	directory := strings.Fields(strings.SplitAfter(stderr.String(), "starting the local runtime in ")[1])[0]
	if _, err := os.Stat(strings.TrimSuffix(directory, ",")); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", directory, err)
	}
}
