package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// ClaimLease is how long after the last time slot of a chunk its sender may still call SES. The sender keeps to it; Plan
// holds a recipient in doubt only once it has passed.
const ClaimLease = 60 * time.Second

// claimSpan is how many seconds of sending one claim may cover: at low rates chunks shrink, so that a pause or a dead
// sender concerns few recipients.
const claimSpan = 2 * time.Second

// Claiming says which recipients a sender wants.
type Claiming struct {
	Campaign  string
	Execution string
	Wave      int
	First     int64
	Last      int64
	// Limit is the most recipients that a claim takes; at low rates it takes fewer.
	Limit int
}

// ClaimedRecipient is one recipient that the caller, and nobody else, may mail now.
type ClaimedRecipient struct {
	Seq     int64
	Address string
	Fields  map[string]string
}

// Chunk is the recipients of one claim with their time slots: recipient i may be sent Delay + i x Spacing after the claim
// was answered, and none later than Lease after it was asked for.
type Chunk struct {
	Claim      uuid.UUID
	Recipients []ClaimedRecipient
	Delay      time.Duration
	Spacing    time.Duration
	Lease      time.Duration
}

// Claim takes up to Limit pending recipients of a batch for the caller and books their time slots, in one statement that
// is committed when it returns. An empty chunk means that nothing in the range is left to claim: none is pending and
// free, or the campaign is no longer running, or is another execution's, or the wave was ended.
//
// The time slots are the generic cell rate algorithm: every claim moves next_at of the account, and of the campaign if it
// is slower, by recipients / rate.
func Claim(ctx context.Context, db bun.IDB, c Claiming) (Chunk, error) {
	chunk := Chunk{Claim: uuid.New()}
	var rows []struct {
		Seq     int64
		Address string
		Fields  map[string]string `bun:"type:jsonb"`
		Delay   float64
		Spacing float64
	}
	err := db.NewRaw(`
		with mine as (
			select id from fanmail.campaign
			where name = ?campaign and execution = ?execution and state = 'running' and ended_wave < ?wave
		), picked as materialized (
			select r.campaign_id, r.seq, s.reason as suppressed
			from fanmail.recipient r
			join mine on mine.id = r.campaign_id
			left join fanmail.suppression s on s.address = r.address
			where r.seq between ?first and ?last and r.state = 'pending'
			order by r.seq limit (
				select least(?limit, greatest(1, floor(coalesce(min(p.rate), ?limit) * ?span)))::bigint
				from fanmail.pace p, mine where p.key in ('account', 'campaign/' || mine.id))
			for update of r skip locked
		), picking as materialized (
			select count(*) as n from picked where suppressed is null
		), pace as materialized (
			select p.key from fanmail.pace p, mine, picking
			where p.key in ('account', 'campaign/' || mine.id) and picking.n > 0
			order by p.key for update of p
		), slot as materialized (
			update fanmail.pace p
			set next_at = greatest(p.next_at, clock_timestamp()) + make_interval(secs => picking.n / p.rate)
			from pace, picking where p.key = pace.key
			returning p.next_at - make_interval(secs => picking.n / p.rate) as start, 1 / p.rate as spacing
		), slots as materialized (
			select max(start) as start, max(spacing) as spacing from slot
		), claimed as (
			update fanmail.recipient r
			set state = case when p.suppressed is null then 'claimed' else 'suppressed' end,
			    reason = p.suppressed,
			    claim = case when p.suppressed is null then ?claim::uuid end,
			    claimed_until = case when p.suppressed is null then
			        greatest(coalesce(slots.start, '-infinity'), clock_timestamp()) + make_interval(secs => picking.n * coalesce(slots.spacing, 0) + ?lease) end,
			    settled_at = case when p.suppressed is not null then now() end
			from picked p, picking, slots
			where r.campaign_id = p.campaign_id and r.seq = p.seq
			returning r.seq, r.address, r.fields, r.state
		)
		select seq, address, fields,
		       greatest(coalesce(extract(epoch from slots.start - clock_timestamp()), 0), 0) as delay,
		       coalesce(slots.spacing, 0) as spacing
		from claimed, slots
		where state = 'claimed'
		order by seq`,
		struct {
			Claiming `bun:",extend"`
			Claim    uuid.UUID
			Lease    float64
			Span     float64
		}{c, chunk.Claim, ClaimLease.Seconds(), claimSpan.Seconds()}).Scan(ctx, &rows)
	if err != nil {
		return Chunk{}, fmt.Errorf("claiming recipients %d to %d of campaign %s: %w", c.First, c.Last, c.Campaign, err)
	}
	for _, row := range rows {
		chunk.Recipients = append(chunk.Recipients, ClaimedRecipient{Seq: row.Seq, Address: row.Address, Fields: row.Fields})
		chunk.Delay, chunk.Spacing = seconds(row.Delay), seconds(row.Spacing)
	}
	chunk.Lease = chunk.Delay + time.Duration(len(rows))*chunk.Spacing + ClaimLease
	return chunk, nil
}

// Outcome is what became of a claimed recipient: Sent with its message id, RecipientFailed or Pending with a reason.
type Outcome struct {
	Seq       int64          `json:"seq"`
	State     RecipientState `json:"state"`
	Reason    string         `json:"reason,omitempty"`
	MessageID string         `json:"message_id,omitempty"`
}

// Record writes the outcomes of a claim, each only if the recipient still is as the claim left it, and returns how many
// were written. A recipient without an outcome stays claimed, and is in doubt when the claim runs out.
func Record(ctx context.Context, db bun.IDB, campaign string, claim uuid.UUID, outcomes []Outcome) (int64, error) {
	if len(outcomes) == 0 {
		return 0, nil
	}
	values, err := json.Marshal(outcomes)
	if err != nil {
		return 0, err
	}
	result, err := db.NewRaw(`
		update fanmail.recipient r
		set state = o.state, reason = o.reason, message_id = o.message_id,
		    claim = case when o.state = 'pending' then null else r.claim end,
		    claimed_until = null,
		    settled_at = case when o.state = 'pending' then null else now() end
		from jsonb_to_recordset(?values::jsonb) as o(seq bigint, state text, reason text, message_id text), fanmail.campaign c
		where c.name = ?campaign and r.campaign_id = c.id and r.seq = o.seq and r.state = 'claimed' and r.claim = ?claim`,
		struct {
			Values   string
			Campaign string
			Claim    uuid.UUID
		}{string(values), campaign, claim}).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("recording %d outcomes of campaign %s: %w", len(outcomes), campaign, err)
	}
	return result.RowsAffected()
}

// Slow keeps every sender from claiming time slots before the given pause is over, because SES throttled.
func Slow(ctx context.Context, db bun.IDB, pause time.Duration) error {
	_, err := db.ExecContext(ctx, `
		update fanmail.pace set next_at = greatest(next_at, clock_timestamp() + make_interval(secs => ?))
		where key = 'account'`, pause.Seconds())
	if err != nil {
		return fmt.Errorf("slowing down after a throttle: %w", err)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
