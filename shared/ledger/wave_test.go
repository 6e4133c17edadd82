package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestBatchesCoverThePendingRecipientsUpToTheLimit(t *testing.T) {
	db, ctx := open(t), context.Background()
	var addresses []string
	for i := range 10 {
		addresses = append(addresses, fmt.Sprintf("r%d@example.com", i))
	}
	c := start(t, db, addresses...)
	if _, err := db.ExecContext(ctx, "update fanmail.recipient set state = 'failed' where seq in (2, 3, 7)"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		size, limit int64
		want        []workflow.Batch
	}{
		{3, 100, []workflow.Batch{{Number: 1, First: 1, Last: 5, Pending: 3}, {Number: 2, First: 6, Last: 9, Pending: 3}, {Number: 3, First: 10, Last: 10, Pending: 1}}},
		{3, 4, []workflow.Batch{{Number: 1, First: 1, Last: 5, Pending: 3}, {Number: 2, First: 6, Last: 6, Pending: 1}}},
		{100, 100, []workflow.Batch{{Number: 1, First: 1, Last: 10, Pending: 7}}},
	} {
		var got []workflow.Batch
		err := ledger.Batches(ctx, db, c.ID, test.size, test.limit, func(b workflow.Batch) error { got = append(got, b); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("size %d, limit %d: %s", test.size, test.limit, diff)
		}
	}
}

func TestStandTellsClaimsUnderWayFromDoubt(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com", "b@example.com", "c@example.com")
	if _, err := ledger.Claim(ctx, db, claiming(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "update fanmail.recipient set claimed_until = now() - interval '1 second' where seq = 1"); err != nil {
		t.Fatal(err)
	}
	s, err := ledger.Stand(ctx, db, c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if s.Counts != (ledger.Counts{Pending: 1, Claimed: 1, InDoubt: 1}) || !s.ClaimedUntil.After(s.Now) || !s.DoubtUntil.Before(s.Now) {
		t.Errorf("standing %+v", s)
	}
	var busy *workflow.CampaignBusy
	if _, err := ledger.Owned(ctx, db, "spring-sale", "other"); !errors.As(err, &busy) {
		t.Errorf("for another execution: error %v, want CampaignBusy", err)
	}
}

func TestAWaveThatWasTakenOverDoesNotStart(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com")
	c.Execution = "other"
	var busy *workflow.CampaignBusy
	if err := ledger.StartWave(ctx, db, ledger.Wave{Campaign: c, AccountRate: 10}); !errors.As(err, &busy) {
		t.Errorf("error %v, want CampaignBusy", err)
	}
}
