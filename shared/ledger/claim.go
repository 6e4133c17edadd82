package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// At low rates chunks shrink, so that a pause or a dead sender concerns few recipients, and no claim is made whose slots
// are far away: it would hold recipients, and slots, that others could use.
const (
	// claimSpan is how many seconds of sending one claim may cover, and how far away its first slot may be.
	claimSpan = 2 * time.Second
	// ownClaimSpan is the same for a campaign with a rate of its own: its chunks are sent as fast as the account's slots
	// allow, so small ones keep its own rate even.
	ownClaimSpan = 100 * time.Millisecond
)

// Jitter is how much later than its time slot SES may count a message, compared with the least late of all. A window of one second
// can hold the messages of the slots of one second and Jitter, so the slots are that much farther apart than the account's rate
// asks for, which costs 2.4 % of it.
const Jitter = 25 * time.Millisecond

// Every message that SES throttled takes the share throttleLoss off the account's rate, every one that it took brings back
// the share acceptGain of what is missing: with one message in 20 throttled the rate settles at some 80 % of what is
// allowed. It never falls below the share minRate, because only sending tells that the trouble is over.
const (
	throttleLoss = 0.02
	acceptGain   = 0.005
	minRate      = 0.05
)

// adaptedRate is the account's rate after what SES answered; kept and missing are the losses and gains multiplied up.
const adaptedRate = `greatest(p.allowed * ?min_rate, p.allowed - (p.allowed - p.rate * ?kept) * ?missing)`

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
	// Lease is how long after the last time slot of the chunk its sender may still call SES. The sender keeps to it;
	// afterwards its recipients are in doubt.
	Lease time.Duration
	// Accepted and Throttled are how many messages SES took and throttled since the caller's last claim with recipients.
	Accepted  int
	Throttled int
	// Clock is the caller's, the same for all its claims; nil for a single one.
	Clock *Clock `bun:"-"`
}

// ClaimedRecipient is one recipient that the caller, and nobody else, may mail now.
type ClaimedRecipient struct {
	Seq     int64
	Address string
	Fields  map[string]string
}

// Chunk is the recipients of one claim with their time slots: recipient i may be sent at Start + i x Spacing, and none later than
// Lease, or Left, after the claim was asked for, by the caller's clock.
type Chunk struct {
	Asked time.Time
	// Tag is the campaign's in SES events.
	Tag        uuid.UUID
	Recipients []ClaimedRecipient
	Start      time.Time
	Spacing    time.Duration
	Lease      time.Duration
	// Left is what is left of the wave.
	Left time.Duration
	// Wait is how long it is worth to wait before asking again, when the next time slots are too far away.
	Wait time.Duration
	// Suppressed is how many pending recipients were found on the suppression list, and settled.
	Suppressed int64
}

// Empty tells that nothing in the range is left to claim: none is pending and free, or the campaign is no longer running,
// or is another execution's, or the wave is over.
func (c Chunk) Empty() bool { return len(c.Recipients) == 0 && c.Wait == 0 && c.Suppressed == 0 }

// Claim takes up to Limit pending recipients of a batch for the caller and books their time slots, in one statement that
// is committed when it returns.
//
// The time slots are the generic cell rate algorithm: every claim moves next_at of the campaign, if it has a rate of its
// own, and then of the account, by recipients / rate, and for the account Jitter more. The account's rate follows what SES answers.
func Claim(ctx context.Context, db bun.IDB, c Claiming) (Chunk, error) {
	var rows []struct {
		Tag        uuid.UUID `bun:"type:uuid"`
		Seq        int64
		Address    string
		Fields     map[string]string `bun:"type:jsonb"`
		Left       float64
		Start      time.Time
		Begun      time.Time
		Ended      time.Time
		Spacing    float64
		Wait       float64
		Suppressed int64
	}
	clock := cmp.Or(c.Clock, new(Clock))
	chunk := Chunk{Asked: time.Now()}
	err := db.NewRaw(`
		with mine as (
			select id, tag, 'campaign/' || id as pace, extract(epoch from wave_until - fanmail.clock()) as left
			from fanmail.campaign
			where name = ?campaign and execution = ?execution and state = 'running' and ended_wave < ?wave
			  and wave_until > fanmail.clock()
		), due as materialized (
			select min(p.rate) as rate,
			       case when count(*) > 1 then ?own_span else ?span end as span,
			       greatest(max(extract(epoch from p.next_at - fanmail.clock())
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
			set next_at = greatest(p.next_at, fanmail.clock()) + make_interval(secs => n / p.rate)
			from mine, picking where p.key = mine.pace and n > 0
			returning p.next_at - make_interval(secs => n / p.rate) as start
		), slot as materialized (
			update fanmail.pace p
			set rate = `+adaptedRate+`,
			    next_at = greatest(p.next_at, fanmail.clock(), (select start from own)) + make_interval(secs => n * ?stretch / (`+adaptedRate+`))
			from picking where p.key = ?account and n > 0
			returning p.next_at - make_interval(secs => n * ?stretch / p.rate) as start, ?stretch / p.rate as spacing
		), claimed as (
			update fanmail.recipient r
			set state = case when p.suppressed is null then 'claimed' else 'suppressed' end,
			    reason = p.suppressed,
			    claim = case when p.suppressed is null then ?claim::uuid end,
			    claimed_until = case when p.suppressed is null then
			        coalesce((select start from slot), fanmail.clock())
			            + make_interval(secs => n * coalesce((select spacing from slot), 0) + ?lease) end,
			    settled_at = case when p.suppressed is not null then fanmail.clock() end
			from picked p, picking
			where r.campaign_id = p.campaign_id and r.seq = p.seq
			returning r.seq, r.address, r.fields, r.state
		)
		select mine.tag, mine.left, c.seq, c.address, c.fields,
		       coalesce(slot.start, fanmail.clock()) as start,
		       fanmail.clock() - (clock_timestamp() - statement_timestamp()) as begun,
		       fanmail.clock() as ended,
		       coalesce(slot.spacing, 0) as spacing,
		       coalesce(due.wait, 0) as wait,
		       picking.suppressed
		from mine cross join due cross join picking left join slot on true left join claimed c on c.state = 'claimed'
		order by c.seq`,
		struct {
			Claiming `bun:",extend"`
			Account  string
			Lease    float64
			Span     float64
			OwnSpan  float64
			MinRate  float64
			Kept     float64
			Missing  float64
			Stretch  float64
		}{
			c, accountPace, c.Lease.Seconds(), claimSpan.Seconds(), ownClaimSpan.Seconds(),
			minRate, math.Pow(1-throttleLoss, float64(c.Throttled)), math.Pow(1-acceptGain, float64(c.Accepted)),
			1 + Jitter.Seconds(),
		}).Scan(ctx, &rows)
	if err != nil {
		return Chunk{}, fmt.Errorf("claiming recipients %d to %d of campaign %s: %w", c.First, c.Last, c.Campaign, err)
	}
	answered := time.Now()
	for i, row := range rows {
		if i == 0 {
			clock.see(chunk.Asked, row.Begun, row.Ended, answered)
			// No slot is earlier than the claim was asked for.
			chunk.Start = chunk.Asked.Add(max(clock.until(row.Start, chunk.Asked), 0))
			// PostgreSQL began later than it was asked, so this is not too long, whatever the clocks show.
			chunk.Lease = max(row.Start.Sub(row.Begun), 0)
		}
		chunk.Tag, chunk.Left, chunk.Spacing = row.Tag, seconds(row.Left), seconds(row.Spacing)
		chunk.Wait, chunk.Suppressed = seconds(row.Wait), row.Suppressed
		if row.Seq > 0 {
			chunk.Recipients = append(chunk.Recipients, ClaimedRecipient{Seq: row.Seq, Address: row.Address, Fields: row.Fields})
		}
	}
	chunk.Lease += time.Duration(len(chunk.Recipients))*chunk.Spacing + c.Lease
	return chunk, nil
}

// Release gives back the recipients of a claim whose answer was lost on the way: nobody was mailed. The claim may be under
// way still, so its range is locked first, which waits for it.
func Release(ctx context.Context, db bun.IDB, c Claiming) error {
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw(`
			select count(*) from (
				select from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
				where c.name = ?campaign and r.seq between ?first and ?last order by r.seq for update of r) locked`, c).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`
			update fanmail.recipient r set state = 'pending', claim = null, claimed_until = null
			from fanmail.campaign c
			where c.name = ?campaign and r.campaign_id = c.id and r.seq between ?first and ?last
			  and r.state = 'claimed' and r.claim = ?claim`, c).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("releasing claim %s of campaign %s: %w", c.Claim, c.Campaign, err)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
