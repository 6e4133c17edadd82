package serverless

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/deployment"
)

// row is a line of the table in shared/cloud: a call, or none where the line goes on with the call above, and by whom.
var row = regexp.MustCompile(`^//\t([a-z0-9-]+:[A-Za-z]+)?\s+([a-z]+(?:, [a-z]+)*)(?:  |$)`)

// TestTheTableOfCallsIsThatOfTheCode holds the comment of shared/cloud, which people read, against what the code can reach.
func TestTheTableOfCallsIsThatOfTheCode(t *testing.T) {
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, f := range functions {
		for call := range readCode(t, f.Key).calls {
			want[call] = append(want[call], f.Key)
		}
	}
	got := readTable(readFile(t, "../shared/cloud/cloud.go"), functions)
	var wrong findings
	wrong.check(len(got[forPollers[0]]) == 1, "the table was not read: %v", got)
	for _, call := range unique(slices.Concat(sortedKeys(got), sortedKeys(want))) {
		// Lambda's pollers make these calls, and S3 asks for the last one when it says that a file is missing.
		if slices.Contains(forPollers, call) || call == "s3:ListBucket" {
			continue
		}
		wrong.equal(got[call], want[call], "%s is called by, as shared/cloud says", call)
	}
	for _, line := range wrong {
		t.Error(line)
	}
}

func readTable(source string, functions []deployment.Function) map[string][]string {
	table := map[string][]string{}
	call := ""
	comment, _, _ := strings.Cut(source, "\npackage cloud")
	for line := range strings.Lines(comment) {
		match := row.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if match == nil {
			continue
		}
		if match[1] != "" {
			call = match[1]
		}
		by := strings.Split(match[2], ", ")
		if match[2] == "all" {
			by = nil
			for _, f := range functions {
				by = append(by, f.Key)
			}
		}
		table[call] = append(table[call], by...)
	}
	return table
}

func TestTheTableOfCallsIsRead(t *testing.T) {
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	got := readTable("//\tcall  by  for\n//\ts3:GetObject  prepare, send  files\n//\t              plan           results\n"+
		"//\tsqs:DeleteMessage  events\n//\tses:GetAccount  all  quota\npackage cloud", functions)
	if len(got) != 3 || !slices.Equal(got["s3:GetObject"], []string{"prepare", "send", "plan"}) || len(got["ses:GetAccount"]) != len(functions) {
		t.Errorf("got %v", got)
	}
}
