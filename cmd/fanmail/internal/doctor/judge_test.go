package doctor

import (
	"strings"
	"testing"
)

// judged is one row of a table: a verdict, what it must be, and words of its finding and of its steps.
type judged struct {
	name    string
	verdict Verdict
	status  Status
	finding string
	next    string
}

func verdicts(t *testing.T, table []judged) {
	t.Helper()
	for _, j := range table {
		t.Run(j.name, func(t *testing.T) {
			steps := strings.Join(j.verdict.Next, "\n")
			if j.verdict.Status != j.status || !strings.Contains(j.verdict.Finding, j.finding) || !strings.Contains(steps, j.next) {
				t.Errorf("%+v\nwant %s, %q, next %q", j.verdict, j.status, j.finding, j.next)
			}
			if bad := j.status == Failed || j.status == Warned; bad != (steps != "") {
				t.Errorf("%s with the steps %q", j.status, steps)
			}
			if strings.ContainsAny(j.verdict.Finding, "\n\t") || j.verdict.Finding == "" {
				t.Errorf("the finding is not one line: %q", j.verdict.Finding)
			}
		})
	}
}
