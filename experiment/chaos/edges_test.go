package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const guaranteesPage = "../../docs/guarantees.md"

func TestThePageHasTheDiagram(t *testing.T) {
	edges, err := readEdges(filepath.FromSlash(guaranteesPage))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []edge{{"[*]", "pending"}, {"pending", "claimed"}, {"claimed", "sent"}, {"claimed", "pending"}} {
		if !edges[e] {
			t.Errorf("%s is missing", e)
		}
	}
	for _, e := range []edge{{"sent", "pending"}, {"sent", "claimed"}, {"sent", "suppressed"}, {"skipped", "claimed"}} {
		if edges[e] {
			t.Errorf("%s: nobody would be mailed just once, or the ledger would not know", e)
		}
	}
}

func TestWhatIsNoDiagramIsRefused(t *testing.T) {
	const head, end = recipients + "text\n```mermaid\nstateDiagram-v2\n", "```\n"
	const other = "## States of a campaign\n```mermaid\nstateDiagram-v2\n    [*] --> importing: started\n```\n"
	good := head + "    [*] --> pending: imported\n\n    pending --> claimed\n" + end + other
	if edges, err := parseEdges(good); err != nil || len(edges) != 2 || !edges[edge{"pending", "claimed"}] {
		t.Errorf("%v, %v", edges, err)
	}
	for text, want := range map[string]string{
		"text":                              "one block",
		other:                               "one block",
		strings.TrimSuffix(good, end+other): "one block",
		strings.Replace(good, other, good[len(recipients):], 1): "one block",
		head + "\n" + end:                    "no arrow",
		head + "    pending -> sent\n" + end: `no arrow: "pending -> sent"`,
	} {
		if _, err := parseEdges(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestTransitionsAreHeldAgainstTheDiagram(t *testing.T) {
	got := transitions(map[edge]int64{{"sent", "pending"}: 2, {"[*]", "pending"}: 5}, map[edge]bool{{"[*]", "pending"}: true})
	if len(got) != 2 || got[0] != (Transition{"[*]", "pending", 5, true}) || got[1] != (Transition{"sent", "pending", 2, false}) {
		t.Errorf("got %+v", got)
	}
}
