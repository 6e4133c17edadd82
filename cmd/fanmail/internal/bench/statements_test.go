package bench

import (
	"testing"
	"time"

	"fanmail/local"
)

func TestStatementsAreTheDifference(t *testing.T) {
	r := Result{Recipients: 2000}
	r.countStatements(
		[]local.Statement{{ID: 1, Calls: 10, Time: time.Second}, {ID: 2, Calls: 5, Time: time.Second}},
		[]local.Statement{
			{ID: 1, Query: "select\n\t1", Calls: 30, Time: 2 * time.Second},
			{ID: 2, Query: "not ours", Calls: 5, Time: time.Second},
			{ID: 3, Query: "new", Calls: 20, Time: 3 * time.Second},
		})
	got := r.Statements
	if got.Calls != 40 || got.PerThousand != 20 || got.Seconds != 4 {
		t.Errorf("in all %+v", got)
	}
	want := []Statement{
		{Query: "new", Calls: 20, PerThousand: 10, Seconds: 3},
		{Query: "select 1", Calls: 20, PerThousand: 10, Seconds: 1},
	}
	if len(got.Kinds) != 2 || got.Kinds[0] != want[0] || got.Kinds[1] != want[1] {
		t.Errorf("kinds %+v, want %+v", got.Kinds, want)
	}
}

func TestStatementsThatNobodyCountedAreNotMadeUp(t *testing.T) {
	rows := Result{Recipients: 1}.Rows()
	last := rows[len(rows)-1]
	if last[0] != "SQL statements" || last[1] != "not measured" || last[2] != "pg_stat_statements is not available" {
		t.Errorf("got %q", last)
	}
}
