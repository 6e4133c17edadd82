package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// ClaimLease is how long after the last time slot of a chunk its sender may still call SES. The sender keeps to it; Plan
// holds a recipient in doubt only once it has passed.
const ClaimLease = 60 * time.Second

// At low rates chunks shrink, so that a pause or a dead sender concerns few recipients, and no claim is made whose slots
// are far away: it would hold recipients, and slots, that others could use.
const (
	// claimSpan is how many seconds of sending one claim may cover, and how far away its first slot may be.
	claimSpan = 2 * time.Second
	// ownClaimSpan is the same for a campaign with a rate of its own. It uses fewer of the account's slots than it
	// books in the same time, so it must book few at once for the account's rate to be exact.
	ownClaimSpan = 200 * time.Millisecond
)

// Claiming says which recipients a sender wants.
type Claiming struct {
	Campaign  string
	Execution string
	Wave      int
	First     int64
	Last      int64
	// Limit is the most recipients that a claim takes; at low rates it takes fewer.
	Limit int
	// Claim identifies the claim.
	Claim uuid.UUID
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
	Recipients []ClaimedRecipient
	Delay      time.Duration
	Spacing    time.Duration
	Lease      time.Duration
	// Wait is how long it is worth to wait before asking again, when the next time slots are too far away.
	Wait time.Duration
	// Suppressed is how many pending recipients were found on the suppression list, and settled.
	Suppressed int64
}

// Empty tells that nothing in the range is left to claim: none is pending and free, or the campaign is no longer running,
// or is another execution's, or the wave was ended.
func (c Chunk) Empty() bool { return len(c.Recipients) == 0 && c.Wait == 0 && c.Suppressed == 0 }

// Claim takes up to Limit pending recipients of a batch for the caller and books their time slots, in one statement that
// is committed when it returns.
//
// The time slots are the generic cell rate algorithm: every claim moves next_at of the campaign, if it has a rate of its
// own, and then of the account, by recipients / rate.
func Claim(ctx context.Context, db bun.IDB, c Claiming) (Chunk, error) {
	var rows []struct {
		Seq        int64
		Address    string
		Fields     map[string]string `bun:"type:jsonb"`
		Delay      float64
		Spacing    float64
		Wait       float64
		Suppressed int64
	}
	err := db.NewRaw(`
		with mine as (
			select id, 'campaign/' || id as pace from fanmail.campaign
			where name = ?campaign and execution = ?execution and state = 'running' and ended_wave < ?wave
		), due as materialized (
			select min(p.rate) as rate,
			       case when count(*) > 1 then ?own_span else ?span end as span,
			       greatest(max(extract(epoch from p.next_at - clock_timestamp())
			           - case when p.key = ?account then ?span else ?own_span end), 0) as wait
			from fanmail.pace p, mine where p.key in (?account, mine.pace)
		), picked as materialized (
			select r.campaign_id, r.seq, s.reason as suppressed
			from fanmail.recipient r
			join mine on mine.id = r.campaign_id
			left join fanmail.suppression s on s.address = r.address
			where r.seq between ?first and ?last and r.state = 'pending'
			  and coalesce((select wait from due), 0) = 0
			order by r.seq limit (select least(?limit, greatest(1, floor(coalesce(rate, ?limit) * span)))::bigint from due)
			for update of r skip locked
		), picking as materialized (
			select count(*) filter (where suppressed is null) as n, count(suppressed) as suppressed from picked
		), own as materialized (
			update fanmail.pace p
			set next_at = greatest(p.next_at, clock_timestamp()) + make_interval(secs => n / p.rate)
			from mine, picking where p.key = mine.pace and n > 0
			returning p.next_at - make_interval(secs => n / p.rate) as start, 1 / p.rate as spacing
		), account as materialized (
			update fanmail.pace p
			set next_at = greatest(p.next_at, clock_timestamp(), (select start from own)) + make_interval(secs => n / p.rate)
			from picking where p.key = ?account and n > 0
			returning p.next_at - make_interval(secs => n / p.rate) as start, 1 / p.rate as spacing
		), slot as materialized (
			select account.start, greatest(account.spacing, own.spacing) as spacing from account left join own on true
		), claimed as (
			update fanmail.recipient r
			set state = case when p.suppressed is null then 'claimed' else 'suppressed' end,
			    reason = p.suppressed,
			    claim = case when p.suppressed is null then ?claim::uuid end,
			    claimed_until = case when p.suppressed is null then
			        greatest((select start from slot), clock_timestamp())
			            + make_interval(secs => n * coalesce((select spacing from slot), 0) + ?lease) end,
			    settled_at = case when p.suppressed is not null then now() end
			from picked p, picking
			where r.campaign_id = p.campaign_id and r.seq = p.seq
			returning r.seq, r.address, r.fields, r.state
		)
		select c.seq, c.address, c.fields,
		       greatest(coalesce(extract(epoch from slot.start - clock_timestamp()), 0), 0) as delay,
		       coalesce(slot.spacing, 0) as spacing,
		       coalesce(due.wait, 0) as wait,
		       picking.suppressed
		from due cross join picking left join slot on true left join claimed c on c.state = 'claimed'
		order by c.seq`,
		struct {
			Claiming `bun:",extend"`
			Account  string
			Lease    float64
			Span     float64
			OwnSpan  float64
		}{c, accountPace, ClaimLease.Seconds(), claimSpan.Seconds(), ownClaimSpan.Seconds()}).Scan(ctx, &rows)
	if err != nil {
		return Chunk{}, fmt.Errorf("claiming recipients %d to %d of campaign %s: %w", c.First, c.Last, c.Campaign, err)
	}
	var chunk Chunk
	for _, row := range rows {
		chunk.Delay, chunk.Spacing = seconds(row.Delay), seconds(row.Spacing)
		chunk.Wait, chunk.Suppressed = seconds(row.Wait), row.Suppressed
		if row.Seq > 0 {
			chunk.Recipients = append(chunk.Recipients, ClaimedRecipient{Seq: row.Seq, Address: row.Address, Fields: row.Fields})
		}
	}
	chunk.Lease = chunk.Delay + time.Duration(len(chunk.Recipients))*chunk.Spacing + ClaimLease
	return chunk, nil
}

// Release gives back the recipients of a claim whose answer was lost on the way: nobody was mailed.
func Release(ctx context.Context, db bun.IDB, c Claiming) error {
	_, err := db.NewRaw(`
		update fanmail.recipient r set state = 'pending', claim = null, claimed_until = null
		from fanmail.campaign c
		where c.name = ?campaign and r.campaign_id = c.id and r.seq between ?first and ?last
		  and r.state = 'claimed' and r.claim = ?claim`, c).Exec(ctx)
	if err != nil {
		return fmt.Errorf("releasing claim %s of campaign %s: %w", c.Claim, c.Campaign, err)
	}
	return nil
}

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
// were written. A recipient without an outcome stays claimed, and is in doubt when the claim runs out. Long reasons make
// more than one statement; what an earlier one wrote stays written when a later one fails, and may be recorded again.
func Record(ctx context.Context, db bun.IDB, campaign string, claim uuid.UUID, outcomes []Outcome) (int64, error) {
	var recorded int64
	for _, values := range recordable(outcomes) {
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
	return recorded, nil
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
		// PostgreSQL stores no NUL.
		o.Reason = strings.ReplaceAll(o.Reason, "\x00", "")
		if len(o.Reason) > maxReason {
			o.Reason = strings.ToValidUTF8(o.Reason[:maxReason], "") + "…"
		}
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

// Slow keeps every sender from claiming time slots before the given pause is over, because SES throttled.
func Slow(ctx context.Context, db bun.IDB, pause time.Duration) error {
	_, err := db.ExecContext(ctx, `
		update fanmail.pace set next_at = greatest(next_at, clock_timestamp() + make_interval(secs => ?))
		where key = ?`, pause.Seconds(), accountPace)
	if err != nil {
		return fmt.Errorf("slowing down after a throttle: %w", err)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
