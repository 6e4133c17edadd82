package report_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/ledger"
	"fanmail/shared/report"
	"fanmail/shared/workflow"
)

func TestTheReportAccountsForEveryRecipient(t *testing.T) {
	started := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := &ledger.Campaign{
		Name: "spring-sale", Execution: "arn", State: ledger.Paused, Reason: "by hand", Recipients: 28, RecipientsTag: "5e1a",
		Rejected: map[string]int64{"duplicate": 2, "no address": 3}, Waves: 2, Batches: 5, StartedAt: started, EndedAt: started.Add(time.Hour),
	}
	counts := ledger.Counts{Pending: 1, Claimed: 2, InDoubt: 3, Sent: 4, Failed: 5, Suppressed: 6, Skipped: 7, Confirmed: 8, Delivered: 9, Bounced: 10, Complained: 11, Opened: 12, Clicked: 13}
	since := started.Add(time.Minute)
	want := workflow.Report{
		Campaign: "spring-sale", Execution: "arn", State: "paused", Reason: "by hand",
		Recipients: 28, RecipientsDigest: "5e1a", Sent: 4, Failed: 5, Suppressed: 6, Skipped: 7, InDoubt: 3, Pending: 3,
		Confirmed: 8, Delivered: 9, Bounced: 10, Complained: 11, Opened: 12, Clicked: 13,
		Held:     []workflow.Held{{Seq: 7, Line: 9, Address: "g@example.com", Since: since}},
		Rejected: 5, RejectedByReason: map[string]int64{"duplicate": 2, "no address": 3},
		Waves: 2, Batches: 5, StartedAt: started, EndedAt: started.Add(time.Hour),
	}
	got := report.Of(c, counts, []ledger.HeldRecipient{{Seq: 7, Line: 9, Address: "g@example.com", Since: since}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if sum := got.Sent + got.Failed + got.Suppressed + got.Skipped + got.InDoubt + got.Pending; sum != got.Recipients {
		t.Errorf("the parts sum up to %d of %d", sum, got.Recipients)
	}
}

func TestOutcomesAreWrittenAsCSV(t *testing.T) {
	seoul := time.FixedZone("KST", 9*60*60)
	rows := []ledger.OutcomeRow{
		{Seq: 1, Line: 2, Address: "a@example.com", State: "sent", MessageID: "m1", SettledAt: time.Date(2026, 11, 23, 18, 0, 0, 500, seoul)},
		{Seq: 2, Line: 4, Address: `"odd, one"@example.com`, State: "failed", Reason: "two\nlines", SettledAt: time.Date(2026, 11, 23, 9, 0, 1, 0, time.UTC)},
		{Seq: 3, Line: 5, Address: "c@example.com", State: "in doubt"},
	}
	var file bytes.Buffer
	if err := report.WriteOutcomes(&file, each(rows)); err != nil {
		t.Fatal(err)
	}
	want := `seq,line,email,state,reason,messageId,settledAt
1,2,a@example.com,sent,,m1,2026-11-23T09:00:00Z
2,4,"""odd, one""@example.com",failed,"two
lines",,2026-11-23T09:00:01Z
3,5,c@example.com,in doubt,,,
`
	if diff := cmp.Diff(want, file.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAnErrorOnEitherSideEndsTheOutcomes(t *testing.T) {
	broken := errors.New("broken")
	err := report.WriteOutcomes(io.Discard, func(func(ledger.OutcomeRow) error) error { return broken })
	if err != broken {
		t.Errorf("the ledger's error came back as %v", err)
	}
	for _, n := range []int{0, 10_000} {
		if err := report.WriteOutcomes(full{broken}, each(make([]ledger.OutcomeRow, n))); !errors.Is(err, broken) {
			t.Errorf("the file's error after %d rows came back as %v", n, err)
		}
	}
}

// full is a disk without space.
type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

// each yields the rows as the ledger does.
func each(rows []ledger.OutcomeRow) func(func(ledger.OutcomeRow) error) error {
	return func(yield func(ledger.OutcomeRow) error) error {
		for _, row := range rows {
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}
}
