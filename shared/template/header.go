package template

import (
	"strings"
	"unicode"
)

// SingleLine tells whether s may stand in the value of a mail header: no line break and no other control character.
// Anything else lets a value add headers of its own.
func SingleLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' || r == '\u2028' || r == '\u2029'
	})
}
