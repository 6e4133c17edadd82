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
// queue with it has arrived by then, whatever the order.
const witnessAge = 5

// SettleDoubt makes recipients in doubt pending again as far as the rule allows, and returns how many. grace is how long
// after the end of a claim the events of its messages may still be on their way.
//
// The proof: SES publishes an event for every message that it accepts. An event of a message that SES accepted after the
// claim had run out has arrived, a while ago; the grace period is over; and of all messages that SES is known to have
// accepted within a grace period of the claim none lacks its event. So no events were lost around that time, and if SES had
// accepted the message in doubt, its event would be here.
func SettleDoubt(ctx context.Context, db bun.IDB, c *Campaign, rule campaign.DoubtRule, grace time.Duration) (int64, error) {
	if rule == campaign.Hold {
		return 0, nil
	}
	result, err := db.NewRaw(`
		with mine as (
			select id, case when witness_at < fanmail.clock() - ?age::interval then witness else 'epoch' end as witness
			from fanmail.campaign where id = ?id and execution = ?execution and state = 'running'
		), missing as materialized (
			select min(r.settled_at) as first, max(r.settled_at) as last
			from fanmail.recipient r join mine on mine.id = r.campaign_id
			where r.state = 'sent' and r.confirmed_at is null and r.settled_at < fanmail.clock() - ?grace::interval
		), settled as materialized (
			select r.campaign_id, r.seq
			from fanmail.recipient r join mine on mine.id = r.campaign_id cross join missing
			where r.state = 'claimed' and r.claimed_until < fanmail.clock() - ?grace::interval
			  and (?resend or r.claimed_until < mine.witness
			       and (missing.first is null or r.claimed_until < missing.first - ?grace::interval
			            or r.claimed_until > missing.last + ?grace::interval))
			order by r.seq for update of r
		)
		update fanmail.recipient r set state = 'pending', claim = null, claimed_until = null
		from settled s where r.campaign_id = s.campaign_id and r.seq = s.seq`,
		struct {
			ID        int64
			Execution string
			Grace     string
			Age       string
			Resend    bool
		}{c.ID, c.Execution, interval(grace), interval(grace / witnessAge), rule == campaign.Resend}).Exec(ctx)
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

// Resolve settles by hand what is in doubt in a campaign, and returns how many recipients: resend makes them pending, so that the
// next start of the campaign mails them; otherwise they are skipped. The error is *workflow.CampaignUnknown when there is none.
func Resolve(ctx context.Context, db bun.IDB, name string, resend bool) (int64, error) {
	c, err := Known(ctx, db, name)
	if err != nil {
		return 0, err
	}
	result, err := db.NewRaw(`
		with held as materialized (
			select campaign_id, seq from fanmail.recipient
			where campaign_id = ?id and state = 'claimed' and claimed_until <= fanmail.clock()
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
		}{c.ID, resend}).Exec(ctx)
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
