package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestImportNumbersTheFirstLineOfEveryAddressWithoutGaps(t *testing.T) {
	db, ctx := open(t), context.Background()
	if _, err := db.ExecContext(ctx, "insert into fanmail.suppression values ('c@example.com', 'bounce')"); err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.Open(ctx, db, ledger.Opening{Name: "spring-sale", Execution: execution, Settings: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	var duplicates []ledger.Duplicate
	err = ledger.Import(ctx, db, c,
		rows("b@example.com", "a@example.com", "b@example.com", "c@example.com", "a@example.com", "b@example.com"),
		func(d ledger.Duplicate) error { duplicates = append(duplicates, d); return nil },
		func() map[string]int64 { return map[string]int64{"duplicate": int64(len(duplicates))} })
	if err != nil {
		t.Fatal(err)
	}
	want := []ledger.Duplicate{{Line: 4, Address: "b@example.com", First: 2}, {Line: 6, Address: "a@example.com", First: 3}, {Line: 7, Address: "b@example.com", First: 2}}
	if diff := cmp.Diff(want, duplicates); diff != "" {
		t.Error(diff)
	}
	var got []string
	err = ledger.Outcomes(ctx, db, c.ID, func(r ledger.OutcomeRow) error {
		got = append(got, fmt.Sprint(r.Seq, " ", r.Line, " ", r.Address, " ", r.State, " ", r.Reason))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 2 b@example.com pending ", "2 3 a@example.com pending ", "3 5 c@example.com suppressed bounce"}, got); diff != "" {
		t.Error(diff)
	}
	found, err := ledger.Find(ctx, db, "spring-sale")
	if err != nil {
		t.Fatal(err)
	}
	if found.State != ledger.Running || found.Recipients != 3 || found.RejectedLines() != 3 {
		t.Errorf("campaign is %+v", found)
	}
}

func TestAnImportThatFailedCanBeRunAgain(t *testing.T) {
	db, ctx := open(t), context.Background()
	opening := ledger.Opening{Name: "spring-sale", Execution: execution, Settings: []byte(`{}`)}
	c, _, err := ledger.Open(ctx, db, opening)
	if err != nil {
		t.Fatal(err)
	}
	nobody := func(ledger.Duplicate) error { return nil }
	none := func() map[string]int64 { return map[string]int64{} }
	broken := errors.New("the file broke off")
	good := rows("a@example.com", "b@example.com")
	err = ledger.Import(ctx, db, c, func() (ledger.Row, error) {
		row, err := good()
		if err == io.EOF {
			return row, broken
		}
		return row, err
	}, nobody, none)
	if !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	if err := ledger.Import(ctx, db, c, rows(), nobody, none); !errors.Is(err, ledger.ErrNoRecipients) {
		t.Fatalf("error %v, want ErrNoRecipients", err)
	}
	if err := ledger.Import(ctx, db, c, rows("a@example.com"), nobody, none); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Import(ctx, db, c, rows("a@example.com"), nobody, none); !errors.Is(err, ledger.ErrImported) {
		t.Fatalf("a second import by the same execution: error %v, want ErrImported", err)
	}
	stranger := *c
	stranger.Execution = "another"
	var busy *workflow.CampaignBusy
	if err := ledger.Import(ctx, db, &stranger, rows("a@example.com"), nobody, none); !errors.As(err, &busy) {
		t.Fatalf("a second import by another execution: error %v, want CampaignBusy", err)
	}
	counts, err := ledger.Count(ctx, db, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Pending != 1 {
		t.Errorf("counts %+v, want one pending", counts)
	}
}

func TestTheStatementsOfAnImportArePlannedWellInALedgerThatWasAnalysedBefore(t *testing.T) {
	db, ctx := open(t), context.Background()
	start(t, db, "first@example.com")
	if _, err := db.ExecContext(ctx, "analyze fanmail.recipient; analyze fanmail.recipient_import"); err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.Open(ctx, db, ledger.Opening{Name: "second", Execution: execution + "2", Settings: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	line := 1
	next := func() (ledger.Row, error) {
		if line++; line > n+1 {
			return ledger.Row{}, io.EOF
		}
		address := fmt.Sprintf("r%d@example.com", line/2)
		return ledger.Row{Line: line, Address: address}, nil
	}
	var before, after int64
	read := func() (tuples int64) {
		// What this session has read so far reaches the statistics only when it is idle; force it.
		if err := db.NewRaw("select coalesce(sum(idx_tup_read), 0) from pg_stat_xact_user_tables t join pg_stat_user_indexes i using (relid) where t.schemaname = 'fanmail'").Scan(ctx, &tuples); err != nil {
			t.Fatal(err)
		}
		return tuples
	}
	before = read()
	if err := ledger.Import(ctx, db, c, next, func(ledger.Duplicate) error { return nil }, func() map[string]int64 { return nil }); err != nil {
		t.Fatal(err)
	}
	after = read()
	if c.Recipients != n/2 || after-before > 20*n {
		t.Errorf("%d recipients, %d index tuples read", c.Recipients, after-before)
	}
}
