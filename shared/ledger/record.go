package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Outcome is what became of a claimed recipient: Sent with its message id, RecipientFailed or Pending with a reason.
type Outcome struct {
	Seq       int64          `json:"seq"`
	State     RecipientState `json:"state"`
	Reason    string         `json:"reason,omitempty"`
	MessageID string         `json:"message_id,omitempty"`
}

// maxRecord is the largest text of one statement that Record makes, in bytes: more than 16 KB would pin an RDS Proxy's session.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-pinning.html
const maxRecord = 15 << 10

// maxReason is the most bytes of a reason that are kept. A reason may quote anything.
const maxReason = 1000

// Record writes the outcomes of a claim, each only if the recipient still is as the claim left it, and returns how many
// stand in the ledger now: those that it wrote, and those that SES events had settled before. A message id is a proof: with
// one a recipient that was given up meanwhile becomes sent as well. A recipient without an outcome stays claimed, and is in
// doubt when the claim runs out. Long reasons make more than one statement; what an earlier one wrote stays written when a
// later one fails, and may be recorded again.
func Record(ctx context.Context, db bun.IDB, campaign string, claim uuid.UUID, outcomes []Outcome) (int64, error) {
	var recorded int64
	for _, values := range recordable(outcomes) {
		// The rows are locked in the order of seq, as Apply does, so that the two can't wait for each other.
		result, err := db.NewRaw(`
			with o as materialized (
				select c.id as campaign_id, o.* from fanmail.campaign c,
				     jsonb_to_recordset(?values::jsonb) as o(seq bigint, state text, reason text, message_id text)
				where c.name = ?campaign
			), held as materialized (
				select r.campaign_id, r.seq from fanmail.recipient r join o using (campaign_id, seq)
				where r.state = 'claimed' and r.claim = ?claim
				   or o.state = 'sent' and (r.state = 'pending' or r.state = 'skipped' and r.claim = ?claim)
				order by r.seq for update of r
			)
			update fanmail.recipient r
			set state = o.state, reason = o.reason, message_id = o.message_id,
			    claim = case when o.state = 'pending' then null else ?claim::uuid end,
			    claimed_until = null,
			    settled_at = case when o.state = 'pending' then null else fanmail.clock() end
			from held join o using (campaign_id, seq)
			where r.campaign_id = held.campaign_id and r.seq = held.seq`,
			struct {
				Values   string
				Campaign string
				Claim    uuid.UUID
			}{values, campaign, claim}).Exec(ctx)
		if err != nil {
			return recorded, fmt.Errorf("recording %d outcomes of campaign %s: %w", len(outcomes), campaign, err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return recorded, err
		}
		recorded += n
	}
	if recorded == int64(len(outcomes)) {
		return recorded, nil
	}
	return settledBy(ctx, db, campaign, claim, outcomes)
}

// TakeBack makes recipients pending again whom SES refused, in the end, for what is the campaign's fault.
func TakeBack(ctx context.Context, db bun.IDB, campaign string, claim uuid.UUID, seqs []int64) error {
	_, err := db.NewRaw(`
		with held as materialized (
			select r.campaign_id, r.seq from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
			where c.name = ? and r.seq in (?) and r.state = 'failed' and r.claim = ? and r.message_id is null
			order by r.seq for update of r
		)
		update fanmail.recipient r set state = 'pending', claim = null, settled_at = null
		from held where r.campaign_id = held.campaign_id and r.seq = held.seq`, campaign, bun.List(seqs), claim).Exec(ctx)
	if err != nil {
		return fmt.Errorf("taking back %d refusals of campaign %s: %w", len(seqs), campaign, err)
	}
	return nil
}

// settledBy counts the outcomes that the ledger has: settled by the claim, or free as the outcome says.
func settledBy(ctx context.Context, db bun.IDB, campaign string, claim uuid.UUID, outcomes []Outcome) (int64, error) {
	var settled, free []int64
	for _, o := range outcomes {
		if o.State == Pending {
			free = append(free, o.Seq)
		} else {
			settled = append(settled, o.Seq)
		}
	}
	var n int64
	err := db.NewRaw(`
		select count(*) from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
		where c.name = ? and (r.seq in (?) and r.state in ('sent', 'failed') and r.claim = ? or r.seq in (?) and r.state = 'pending')`,
		campaign, bun.List(settled), claim, bun.List(free)).Scan(ctx, &n)
	if err != nil {
		return 0, fmt.Errorf("looking what became of %d outcomes of campaign %s: %w", len(outcomes), campaign, err)
	}
	return n, nil
}

// recordable are the outcomes as JSON arrays that make statements of maxRecord bytes at most.
func recordable(outcomes []Outcome) (arrays []string) {
	const rest = 1 << 10 // the statement around the values
	var array strings.Builder
	size := 0
	flush := func() {
		if array.Len() > 0 {
			arrays = append(arrays, array.String()+"]")
			array.Reset()
			size = 0
		}
	}
	for _, o := range outcomes {
		o.Reason = storable(o.Reason)
		value, _ := json.Marshal(o) // strings and numbers always marshal
		// In the statement's text a quote stands twice.
		n := len(value) + bytes.Count(value, []byte("'")) + len(",")
		if size+n > maxRecord-rest {
			flush()
		}
		if size == 0 {
			array.WriteByte('[')
		} else {
			array.WriteByte(',')
		}
		array.Write(value)
		size += n
	}
	flush()
	return arrays
}
