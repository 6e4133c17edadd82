package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Proof is a message that belongs to no campaign: its event proves that events get from SES into this ledger.
type Proof struct {
	ID       uuid.UUID `json:"id"`
	Accepted time.Time `json:"accepted"`
}

// keptProofs is how many proofs are kept at most, beside those of the call. Whoever may send with the configuration set can
// make events of them, as many as SES takes, and each call looks at all that are kept.
const keptProofs = 1000

// Prove notes proofs whose event has arrived, and forgets those of more than a day ago, and those before the last keptProofs.
func Prove(ctx context.Context, db bun.IDB, proofs []Proof) error {
	if len(proofs) == 0 {
		return nil
	}
	values, err := array(proofs)
	if err != nil {
		return err
	}
	_, err = db.NewRaw(`
		with forgotten as (
			delete from fanmail.proof where arrived_at <= (
				select greatest(fanmail.clock() - interval '1 day',
					(select arrived_at from fanmail.proof order by arrived_at desc offset ? limit 1)))
		)
		insert into fanmail.proof (id, accepted_at)
		select distinct on (p.id) p.id, p.accepted from jsonb_to_recordset(?::jsonb) as p(id uuid, accepted timestamptz)
		order by p.id, p.accepted
		on conflict do nothing`, keptProofs, values).Exec(ctx)
	if err != nil {
		return fmt.Errorf("noting proofs that events arrive: %w", err)
	}
	return nil
}
