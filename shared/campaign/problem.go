package campaign

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is something that the author of a campaign has to mend. Line counts from 1; 0 when it is no line's fault. Field
// is the path of the key in campaign.yaml, like window.zone, or empty.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, b.String())
}

// Problems are all that is wrong with a campaign, in the order of file and line.
type Problems []Problem

// Error gives one line per problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sort orders the problems by line, campaign.yaml first.
func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		if a.File != b.File {
			switch {
			case a.File == File:
				return -1
			case b.File == File:
				return 1
			}
			return strings.Compare(a.File, b.File)
		}
		return a.Line - b.Line
	})
}
