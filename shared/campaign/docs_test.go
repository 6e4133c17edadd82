package campaign

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/recipients"

	"github.com/google/go-cmp/cmp"
)

// The reference has one row for each key and each reason that there is, in the order of the code.
func TestDocsListEveryKeyAndReason(t *testing.T) {
	source, err := os.ReadFile("../../docs/campaign.md")
	if err != nil {
		t.Fatal(err)
	}
	var keys, reasons []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.*)$").FindAllStringSubmatch(string(source), -1) {
		switch columns := strings.Count(m[2], " |"); columns {
		case 4:
			keys = append(keys, m[1])
		case 1:
			reasons = append(reasons, m[1])
		}
	}
	var want []string
	for _, key := range fields {
		want = append(want, key)
		if key == "window" {
			for _, part := range windowFields {
				want = append(want, "window."+part)
			}
		}
	}
	if diff := cmp.Diff(inOrder(want), inOrder(keys)); diff != "" {
		t.Errorf("keys (-code +docs):\n%s", diff)
	}
	var all []string
	for _, reason := range recipients.Reasons {
		all = append(all, string(reason))
	}
	if diff := cmp.Diff(all, reasons); diff != "" {
		t.Errorf("reasons (-code +docs):\n%s", diff)
	}
}

func inOrder(names []string) []string { return slices.Sorted(slices.Values(names)) }
