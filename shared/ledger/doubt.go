package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"fanmail/shared/campaign"
)

// A recipient is in doubt when its sender died, or lost SES's answer, and the claim has run out: SES may have accepted the
// message or not. An SES event that arrives later settles it (Apply). What no event settles is left to the campaign's rule.

// witnessAge is the part of a grace period after which an event that has arrived may prove something: what stood in the
// queue with it has arrived by then, whatever the order. doubtSpans is in how many spans of time a grace period is divided.
const (
	witnessAge = 5
	doubtSpans = 5
)

// SettleDoubt makes recipients in doubt pending again as far as the rule allows, and returns how many. grace is how long
// after the end of a claim the events of its messages may still be on their way.
//
// The proof: SES publishes an event for every message that it accepts, at once. The grace period is over. Of a message that
// SES accepted within a grace period after the claim had run out the event has arrived, and a while ago one of a later
// message at all. Of the messages that SES is known to have accepted within a grace period of the claim none lacks its event.
// So events did arrive around that time, none was lost, and if SES had accepted the message in doubt, its event would be here.
func SettleDoubt(ctx context.Context, db bun.IDB, c *Campaign, rule campaign.DoubtRule, grace time.Duration) (int64, error) {
	if rule == campaign.Hold {
		return 0, nil
	}
	// Spans of time, and not times, so that one look at the campaign is enough however many are in doubt.
	result, err := db.NewRaw(`
		with mine as (
			select id, case when witness_at < fanmail.clock() - ?age::interval then witness else 'epoch' end as witness
			from fanmail.campaign where id = ?id and execution = ?execution and state = 'running'
		), doubtful as materialized (
			select r.campaign_id, r.seq, r.claimed_until, r.claimed_until < mine.witness as witnessed,
			       floor(extract(epoch from r.claimed_until) / ?span)::bigint as span
			from fanmail.recipient r join mine on mine.id = r.campaign_id
			where r.state = 'claimed' and r.claimed_until < fanmail.clock() - ?grace::interval
		), known as (
			select confirmed_at as at, true as confirmed from fanmail.recipient r join mine on mine.id = r.campaign_id
			where confirmed_at is not null
			union all
			select accepted_at, true from fanmail.probe p join mine on mine.id = p.campaign_id
			union all
			select settled_at, false from fanmail.recipient r join mine on mine.id = r.campaign_id
			where r.state = 'sent' and r.confirmed_at is null and r.settled_at < fanmail.clock() - ?grace::interval
		), spans as materialized (
			select floor(extract(epoch from at) / ?span)::bigint as span, max(at) filter (where confirmed) as confirmed, bool_or(not confirmed) as missing
			from known group by 1
		), proved as materialized (
			select d.span from (select span, max(claimed_until) as until from doubtful group by span) d
			where ?resend
			   or exists (select from spans s where s.confirmed > d.until and s.span between d.span and d.span + ?spans)
			      and not exists (select from spans s where s.missing and s.span between d.span - ?spans - 1 and d.span + ?spans)
		), settled as materialized (
			select r.campaign_id, r.seq
			from doubtful d join proved using (span)
			join fanmail.recipient r on r.campaign_id = d.campaign_id and r.seq = d.seq
			where r.state = 'claimed' and r.claimed_until < fanmail.clock() - ?grace::interval and (?resend or d.witnessed)
			order by r.seq for update of r
		)
		update fanmail.recipient r set state = 'pending', claim = null, claimed_until = null
		from settled s where r.campaign_id = s.campaign_id and r.seq = s.seq`,
		struct {
			ID        int64
			Execution string
			Grace     string
			Age       string
			Span      float64
			Spans     int
			Resend    bool
		}{c.ID, c.Execution, interval(grace), interval(grace / witnessAge), grace.Seconds() / doubtSpans, doubtSpans, rule == campaign.Resend}).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("settling what is in doubt in campaign %s: %w", c.Name, err)
	}
	// The next proof may use what has arrived until now.
	_, err = db.NewUpdate().Model(c).
		Set("witness = witnessed_at, witness_at = fanmail.clock()").
		Where("id = ? and execution = ? and witness_at < fanmail.clock() - ?::interval", c.ID, c.Execution, interval(grace/witnessAge)).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("noting which events of campaign %s have arrived: %w", c.Name, err)
	}
	return result.RowsAffected()
}

// NoteDoubt notes that from now on only what is in doubt keeps the campaign open, unless that is noted already.
func NoteDoubt(ctx context.Context, db bun.IDB, c *Campaign) error {
	_, err := db.NewUpdate().Model(c).Set("doubted_at = fanmail.clock()").
		Where("id = ? and execution = ? and doubted_at is null", c.ID, c.Execution).Exec(ctx)
	if err != nil {
		return fmt.Errorf("noting the doubt in campaign %s: %w", c.Name, err)
	}
	return nil
}

// recordMargin is how long after the end of a claim its sender may still be recording.
const recordMargin = time.Minute

// Resolve settles by hand what is in doubt in a campaign, and returns how many recipients: resend makes them pending, so that the
// next start of the campaign mails them; otherwise they are skipped. Those whose sender may still be recording are left. The error is
// *workflow.CampaignUnknown when there is none.
func Resolve(ctx context.Context, db bun.IDB, name string, resend bool) (int64, error) {
	c, err := Known(ctx, db, name)
	if err != nil {
		return 0, err
	}
	result, err := db.NewRaw(`
		with held as materialized (
			select campaign_id, seq from fanmail.recipient
			where campaign_id = ?id and state = 'claimed' and claimed_until <= fanmail.clock() - ?margin::interval
			order by seq for update
		)
		update fanmail.recipient r
		set state = case when ?resend then 'pending' else 'skipped' end,
		    reason = case when not ?resend then 'dropped by hand: it is in doubt whether SES accepted the message' end,
		    claim = case when not ?resend then r.claim end,
		    claimed_until = null,
		    settled_at = case when not ?resend then fanmail.clock() end
		from held where r.campaign_id = held.campaign_id and r.seq = held.seq`,
		struct {
			ID     int64
			Resend bool
			Margin string
		}{c.ID, resend, interval(recordMargin)}).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("resolving what is in doubt in campaign %s: %w", name, err)
	}
	return result.RowsAffected()
}

// HeldRecipient is a recipient in doubt.
type HeldRecipient struct {
	Seq     int64
	Line    int64
	Address string
	// Since is when the claim ran out.
	Since time.Time
}

// Held returns the first limit recipients in doubt of a campaign, in the order of seq.
func Held(ctx context.Context, db bun.IDB, campaign int64, limit int) ([]HeldRecipient, error) {
	var held []HeldRecipient
	err := db.NewRaw(`
		select seq, line, address, claimed_until as since from fanmail.recipient
		where campaign_id = ? and state = 'claimed' and claimed_until <= fanmail.clock()
		order by seq limit ?`, campaign, limit).Scan(ctx, &held)
	if err != nil {
		return nil, fmt.Errorf("listing what is in doubt: %w", err)
	}
	return held, nil
}

// interval is a duration as PostgreSQL reads it.
func interval(d time.Duration) string { return fmt.Sprintf("%d microseconds", d.Microseconds()) }
