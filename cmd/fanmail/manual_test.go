package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/manual"
)

var writeManual = flag.Bool("write-manual", false, "write docs/cli.md")

const manualPage = "../../docs/cli.md"

// manualNow is the page that the commands give.
func manualNow(t *testing.T) string {
	t.Helper()
	root, _ := new(program).root()
	var page strings.Builder
	if err := manual.Write(&page, root); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestTheManualSaysWhatTheCommandsSay(t *testing.T) {
	now := manualNow(t)
	if *writeManual {
		if err := os.WriteFile(manualPage, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(manualPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != now {
		t.Error("docs/cli.md is not what the commands say: run `make docs`")
	}
}

func TestTheManualHasEveryCommandAndFlag(t *testing.T) {
	now := manualNow(t)
	root, _ := new(program).root()
	for _, c := range root.Commands() {
		if !strings.Contains(now, "## fanmail "+c.Name()+"\n") || !strings.Contains(now, strings.Trim(c.Example, "\n")) {
			t.Errorf("it lacks %s", c.Name())
		}
	}
	for _, want := range []string{"## fanmail import pinpoint", "--opted-out file", "Exit codes:", "(#fanmail-import-listmonk)"} {
		if !strings.Contains(now, want) {
			t.Errorf("it lacks %q", want)
		}
	}
}
