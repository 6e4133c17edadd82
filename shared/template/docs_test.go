package template

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The reference has every function, and its examples compile.
func TestDocsListEveryFunction(t *testing.T) {
	source, err := os.ReadFile("../../docs/campaign.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(source), "| function | what it gives | example |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var names []string
	for _, row := range strings.Split(table, "\n")[1:] {
		cells := strings.Split(strings.ReplaceAll(row, `\|`, "\x00"), "|")
		if len(cells) != 5 {
			t.Fatalf("%d cells in %q", len(cells), row)
		}
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(cells[1], -1) {
			names = append(names, m[1])
		}
		example := strings.ReplaceAll(strings.Trim(cells[3], " `"), "\x00", "|")
		if strings.HasPrefix(example, "{{if ") {
			example += "x{{end}}"
		}
		columns := []string{"email", "name", "First Name", "city", "code", "ends", "lang"}
		if _, problems := Compile(Sources{Subject: "s", HTML: example, HTMLName: "m"}, columns, nil); problems != nil {
			t.Errorf("%s: %v", example, problems)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(functionNames(), names); diff != "" {
		t.Errorf("functions (-code +docs):\n%s", diff)
	}
}
