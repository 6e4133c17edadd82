package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// OutcomeRow is one line of outcomes.csv.
type OutcomeRow struct {
	Seq       int64
	Line      int64
	Address   string
	State     string
	Reason    string
	MessageID string
	SettledAt time.Time
}

// outcomesPage is how many rows are read from the ledger at a time.
const outcomesPage = 5_000

// Outcomes yields every recipient of a campaign in the order of seq, in constant memory. A claim that has run out is
// shown as "in doubt".
func Outcomes(ctx context.Context, db bun.IDB, campaign int64, yield func(OutcomeRow) error) error {
	for after := int64(0); ; {
		var page []OutcomeRow
		err := db.NewRaw(`
			select seq, line, address,
			       case when state = 'claimed' and claimed_until <= fanmail.clock() then 'in doubt' else state end as state,
			       coalesce(reason, '') as reason, coalesce(message_id, '') as message_id, settled_at
			from fanmail.recipient
			where campaign_id = ? and seq > ? order by seq limit ?`, campaign, after, outcomesPage).Scan(ctx, &page)
		if err != nil {
			return fmt.Errorf("reading outcomes after recipient %d: %w", after, err)
		}
		for _, row := range page {
			if err := yield(row); err != nil {
				return err
			}
			after = row.Seq
		}
		if len(page) < outcomesPage {
			return nil
		}
	}
}
