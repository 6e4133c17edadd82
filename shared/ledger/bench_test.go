package ledger_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// BenchmarkPlanningTheManifest plans the manifest of a generated ledger: what Plan reads and the batches that it writes.
// FANMAIL_BENCH_RECIPIENTS sets its size; `make bench-plan` runs it with 10 million.
func BenchmarkPlanningTheManifest(b *testing.B) {
	recipients := int64(100_000)
	if value := os.Getenv("FANMAIL_BENCH_RECIPIENTS"); value != "" {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		recipients = n
	}
	db, ctx := open(b), context.Background()
	c := start(b, db, "first@example.com")
	_, err := db.ExecContext(ctx, `
		insert into fanmail.recipient (campaign_id, seq, line, address, fields)
		select ?, n, n + 1, 'recipient-' || n || '@example.com', '{"name": "Ann"}' from generate_series(2, ?) n`, c.ID, recipients)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "vacuum analyze fanmail.recipient"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ledger.Stand(ctx, db, c, time.Now()); err != nil {
			b.Fatal(err)
		}
		batches, pending := 0, int64(0)
		err := ledger.Batches(ctx, db, c.ID, 1000, recipients, func(batch workflow.Batch) error {
			batches++
			pending += batch.Pending
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if pending != recipients {
			b.Fatalf("the batches hold %d recipients, want %d", pending, recipients)
		}
		b.ReportMetric(float64(batches), "batches")
	}
	b.ReportMetric(float64(recipients), "recipients")
}
