package campaign

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fanmail/shared/recipients"
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

// Join joins Problems that were found one after the other, and the problems of a recipients' file, into Problems. Any other
// error among them comes back alone: then not everything was looked at. Nil errors and empty Problems don't count.
func Join(errs ...error) error {
	var all Problems
	for _, err := range errs {
		var problems Problems
		var list *recipients.Error
		switch {
		case err == nil:
		case errors.As(err, &problems):
			all = append(all, problems...)
		case errors.As(err, &list):
			all = append(all, Problem{File: list.File, Line: list.Line, Message: list.Message})
		default:
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	all.sort()
	return all
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
