// Package manual writes docs/cli.md from the commands themselves: every command with its help, flags and examples.
package manual

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const head = `# The command line

<!-- Written by "make docs" from the commands: what is changed here by hand is lost. -->

This is what ` + "`fanmail --help`" + ` and ` + "`fanmail COMMAND --help`" + ` say.

`

// Write writes the page. Hidden commands are left out.
func Write(w io.Writer, root *cobra.Command) error {
	var page strings.Builder
	page.WriteString(head)
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
	_, err := io.WriteString(w, strings.TrimRight(page.String(), "\n")+"\n")
	return err
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
