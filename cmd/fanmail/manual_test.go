package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var writeManual = flag.Bool("write-manual", false, "write docs/cli.md")

const manualPage = "../../docs/cli.md"

func TestTheManualSaysWhatTheCommandsSay(t *testing.T) {
	now := manualNow()
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
	now := manualNow()
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

const manualHead = `# The command line

<!-- Written by "make docs" from the commands: what is changed here by hand is lost. -->

This is what ` + "`fanmail --help`" + ` and ` + "`fanmail COMMAND --help`" + ` say.

`

// manualNow is the page that the commands give: every command with its help, flags and examples. Hidden ones are left
// out.
func manualNow() string {
	root, _ := new(program).root()
	var page strings.Builder
	page.WriteString(manualHead)
	block(&page, "text", root.Long)
	page.WriteString("| command | what it does |\n|---|---|\n")
	walk(root, func(c *cobra.Command) {
		fmt.Fprintf(&page, "| [`%s`](#%s) | %s |\n", c.CommandPath(), anchor(c), c.Short)
	})
	page.WriteString("\n")
	flags(&page, "These flags go with every command:", root.PersistentFlags())
	block(&page, "sh", root.Example)
	walk(root, func(c *cobra.Command) {
		fmt.Fprintf(&page, "## %s\n\n%s.\n\n", c.CommandPath(), c.Short)
		block(&page, "text", c.UseLine())
		block(&page, "text", c.Long)
		flags(&page, "", c.NonInheritedFlags())
		block(&page, "sh", c.Example)
	})
	return strings.TrimRight(page.String(), "\n") + "\n"
}

// walk visits the commands below c, each before its own.
func walk(c *cobra.Command, visit func(*cobra.Command)) {
	for _, child := range c.Commands() {
		if child.Hidden {
			continue
		}
		visit(child)
		walk(child, visit)
	}
}

// anchor is what a Markdown page makes of the heading.
func anchor(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func flags(page *strings.Builder, before string, set *pflag.FlagSet) {
	if !set.HasAvailableFlags() {
		return
	}
	if before != "" {
		page.WriteString(before + "\n\n")
	}
	block(page, "text", set.FlagUsages())
}

// block writes text as it stands on a terminal. Without one there is no block.
func block(page *strings.Builder, language, text string) {
	if text = strings.Trim(text, "\n"); text != "" {
		fmt.Fprintf(page, "```%s\n%s\n```\n\n", language, text)
	}
}
