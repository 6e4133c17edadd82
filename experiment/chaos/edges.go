package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// edge is a change of a recipient's state. The state before there is a row is [*].
type edge struct{ from, to string }

func (e edge) String() string { return e.from + " --> " + e.to }

var arrow = regexp.MustCompile(`^\s*(\[\*\]|\w+)\s*-->\s*(\w+)\s*(:|$)`)

// recipients begins the section of the page that has the diagram of a recipient's states.
const recipients = "## States of a recipient\n"

// readEdges reads the diagram of a recipient's states from a page.
func readEdges(path string) (map[edge]bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the diagram of states: %w", err)
	}
	edges, err := parseEdges(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return edges, nil
}

func parseEdges(text string) (map[edge]bool, error) {
	_, section, _ := strings.Cut("\n"+text, "\n"+recipients)
	section, _, _ = strings.Cut(section, "\n## ")
	_, diagram, ok := strings.Cut(section, "stateDiagram-v2\n")
	diagram, rest, closed := strings.Cut(diagram, "\n```")
	if !ok || !closed || strings.Contains(rest, "stateDiagram-v2") {
		return nil, fmt.Errorf("its section %q must have one block with a stateDiagram-v2", strings.TrimSpace(recipients))
	}
	edges := map[edge]bool{}
	for line := range strings.Lines(diagram) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		match := arrow.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if match == nil {
			return nil, fmt.Errorf("the diagram has a line that is no arrow: %q", strings.TrimSpace(line))
		}
		edges[edge{match[1], match[2]}] = true
	}
	if len(edges) == 0 {
		return nil, fmt.Errorf("the diagram has no arrow")
	}
	return edges, nil
}

// Transition is a change of state, and how often it happened.
type Transition struct {
	From       string `json:"from"`
	To         string `json:"to"`
	Recipients int64  `json:"recipients"`
	// Drawn: the diagram has it.
	Drawn bool `json:"drawn"`
}

func transitions(taken map[edge]int64, allowed map[edge]bool) []Transition {
	list := make([]Transition, 0, len(taken))
	for e, n := range taken {
		list = append(list, Transition{From: e.from, To: e.to, Recipients: n, Drawn: allowed[e]})
	}
	slices.SortFunc(list, func(a, b Transition) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return list
}
