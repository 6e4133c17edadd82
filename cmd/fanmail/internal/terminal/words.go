package terminal

import "strings"

// OneLine makes runs of white space one space: some messages of AWS have several lines.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Counted is a number and what is counted: 1 address, 1,200 addresses.
func Counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}
