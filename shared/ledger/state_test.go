package ledger_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/ledger"
)

// TestTheStatesAgree holds the diagram of docs/guarantees.md, the constants and the constraints of the tables against each other.
func TestTheStatesAgree(t *testing.T) {
	if diff := cmp.Diff(constants(t, "RecipientState"), constraint(t, "recipient")); diff != "" {
		t.Errorf("states of a recipient (-constants +constraint):\n%s", diff)
	}
	if diff := cmp.Diff(constants(t, "RecipientState"), diagram(t, "recipient")); diff != "" {
		t.Errorf("states of a recipient (-constants +diagram):\n%s", diff)
	}
	if diff := cmp.Diff(constants(t, "CampaignState"), constraint(t, "campaign")); diff != "" {
		t.Errorf("states of a campaign (-constants +constraint):\n%s", diff)
	}
	// Nothing pauses or cancels a campaign yet.
	waiting := []string{string(ledger.Paused), string(ledger.Cancelled)}
	reached := slices.DeleteFunc(constants(t, "CampaignState"), func(state string) bool { return slices.Contains(waiting, state) })
	if diff := cmp.Diff(reached, diagram(t, "campaign")); diff != "" {
		t.Errorf("states of a campaign (-constants +diagram):\n%s", diff)
	}
}

// constants are the values of a type in model.go. Each must have a sentence.
func constants(t *testing.T, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "model.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
			return true
		}
		if !strings.HasPrefix(spec.Doc.Text(), spec.Names[0].Name+": ") {
			t.Errorf("%s has no sentence that begins with its name", spec.Names[0].Name)
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
		return true
	})
	slices.Sort(values)
	return values
}

// constraint are the values that the check of column state allows.
func constraint(t *testing.T, table string) []string {
	t.Helper()
	var definition string
	err := open(t).NewRaw(`
		select pg_get_constraintdef(oid) from pg_constraint
		where conrelid = ('fanmail.' || ?)::regclass and conname = ? || '_state_check'`, table, table).Scan(context.Background(), &definition)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, match := range regexp.MustCompile(`'(\w+)'::text`).FindAllStringSubmatch(definition, -1) {
		values = append(values, match[1])
	}
	slices.Sort(values)
	return values
}

// diagram are the states of a diagram: of a recipient, or of a campaign. Each must have a way in.
func diagram(t *testing.T, of string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## States of a "+of+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	entered, all := map[string]bool{}, map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^    (\w+|\[\*\]) --> (\w+): \S`).FindAllStringSubmatch(section, -1) {
		entered[match[2]], all[match[2]] = true, true
		if match[1] != "[*]" {
			all[match[1]] = true
		}
	}
	var values []string
	for state := range all {
		if !entered[state] {
			t.Errorf("the diagram has no way to %s", state)
		}
		values = append(values, state)
	}
	slices.Sort(values)
	return values
}
