package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// Event is what SES says of one message to one recipient. That there is an event proves that SES accepted the message, at
// Accepted. Times that the event does not tell are zero.
type Event struct {
	Campaign string `json:"campaign"`
	// Tag is the campaign's: another ledger may have a campaign with the same name.
	Tag       uuid.UUID `json:"tag"`
	Seq       int64     `json:"seq"`
	Claim     uuid.UUID `json:"claim"`
	MessageID string    `json:"message_id"`
	// Accepted is when SES accepted the message; it is the same in all events of a message.
	Accepted time.Time `json:"accepted"`
	// Confirms: the event is one that SES publishes when it accepts a message, or instead. Its absence proves something.
	Confirms bool `json:"confirms"`
	// Rejected is why SES did not send the message after all; "" if the event says nothing of the kind.
	Rejected  string    `json:"rejected,omitempty"`
	Delivered time.Time `json:"delivered,omitzero"`
	Bounced   time.Time `json:"bounced,omitzero"`
	// Bounce is SES's bounceType/bounceSubType, "" without Bounced.
	Bounce     string    `json:"bounce,omitempty"`
	Complained time.Time `json:"complained,omitzero"`
	Opened     time.Time `json:"opened,omitzero"`
	Clicked    time.Time `json:"clicked,omitzero"`
}

// Witness is a probe, a message of a campaign to nobody on its list: its event tells that events arrive, and nothing else.
type Witness struct {
	Campaign string    `json:"campaign"`
	Tag      uuid.UUID `json:"tag"`
	Accepted time.Time `json:"accepted"`
}

// Doubled is a recipient for whom SES accepted two messages.
type Doubled struct {
	Campaign string `json:"campaign"`
	Seq      int64  `json:"seq"`
	// Recorded is the message that the ledger has as sent, Other the one of the event.
	Recorded string `json:"recorded"`
	Other    string `json:"other"`
}

// Applied is what became of events. Events of one message that are applied together count once.
type Applied struct {
	// Recipients is how many messages were to recipients in the ledger; Written for how many of them it changed.
	Recipients int64
	Written    int64
	// Unknown is how many were to recipients that this ledger does not have.
	Unknown int64
	// Doubled must always be empty.
	Doubled []Doubled
}

// Apply writes events into the ledger: what they say of the recipients, the suppression list, and until when events have
// arrived. That is one statement for each table, committed one after the other, and each may be repeated: events may come
// twice and in any order, in batches of any size and from several callers at once, and the ledger will be the same.
//
// A recipient whom the ledger does not have as sent becomes sent, as SES accepted the message; one whose message SES
// rejected becomes failed, and no other event of that message changes this. Of each time the earliest is kept. The address
// of a permanent bounce or of a complaint, as the ledger has it, goes to the suppression list.
//
// An error means that the events must be applied again, all of them.
func Apply(ctx context.Context, db bun.IDB, events []Event, witnesses ...Witness) (Applied, error) {
	changes := merge(events)
	var applied Applied
	for _, round := range rounds(changes) {
		if err := applied.recipients(ctx, db, round); err != nil {
			return applied, fmt.Errorf("applying SES events of %d messages: %w", len(changes), err)
		}
	}
	if err := suppress(ctx, db, changes); err != nil {
		return applied, fmt.Errorf("suppressing the addresses of bounces and complaints: %w", err)
	}
	if err := probes(ctx, db, witnesses); err != nil {
		return applied, fmt.Errorf("noting probes: %w", err)
	}
	if err := witness(ctx, db, changes, witnesses); err != nil {
		return applied, fmt.Errorf("noting until when SES events have arrived: %w", err)
	}
	return applied, nil
}

// applyRecipients changes recipients. The rows are locked in the order of their key before they are looked at, so that two
// callers can't wait for each other, and each decides on what the other has left. A recipient's whole key comes from e: were
// its halves from two tables, PostgreSQL would look up one half only in a ledger that it has no statistics of.
//
// The verdict on an event: 'take' when its message becomes the recipient's message, 'same' when it is that already,
// 'doubled' when SES accepted two messages, 'old' when it is of a message that was rejected and is of no concern any more.
const applyRecipients = `
	with e as materialized (
		select c.id as campaign_id, e.*
		from jsonb_to_recordset(?changes::jsonb) as e(campaign text, tag uuid, seq bigint, claim uuid,
			message_id text, accepted timestamptz, confirms boolean, rejected text, delivered timestamptz, bounced timestamptz, bounce text,
			complained timestamptz, opened timestamptz, clicked timestamptz)
		join fanmail.campaign c on c.name = e.campaign and c.tag = e.tag
	), found as materialized (
		select r.*, e.campaign, e.claim as new_claim, e.message_id as new_id, e.accepted, e.confirms, e.rejected, e.delivered, e.bounced,
		       e.bounce as new_bounce, e.complained, e.opened, e.clicked
		from e
		join (select campaign_id, seq, state, reason, claim, message_id, settled_at, confirmed_at, delivered_at,
		             bounced_at, bounce, complained_at, opened_at, clicked_at from fanmail.recipient) r
		  on r.campaign_id = e.campaign_id and r.seq = e.seq
		order by r.campaign_id, r.seq for update of r
	), judged as materialized (
		select f.*, case
			when state in ('sent', 'failed') and message_id = new_id or state = 'sent' and message_id is null then 'same'
			when state = 'sent' and rejected is null then 'doubled'
			when state = 'sent' then 'old'
			when state = 'failed' and (accepted, new_id collate "C") < (confirmed_at, message_id) then 'old'
			else 'take' end as verdict
		from found f
	), decided as materialized (
		select j.campaign_id, j.seq,
		       case when rejected is not null then 'failed' when verdict = 'take' then 'sent' else state end as state,
		       least(rejected collate "C", old.reason) collate "default" as reason,
		       case when verdict = 'take' then new_claim else claim end as claim,
		       new_id as message_id,
		       least(accepted, old.settled_at) as settled_at,
		       least(case when confirms then accepted end, old.confirmed_at) as confirmed_at,
		       least(delivered, old.delivered_at) as delivered_at,
		       least(bounced, old.bounced_at) as bounced_at,
		       case when bounced is null or (bounced, new_bounce collate "C") > (old.bounced_at, old.bounce)
		           then old.bounce else new_bounce end as bounce,
		       least(complained, old.complained_at) as complained_at,
		       least(opened, old.opened_at) as opened_at,
		       least(clicked, old.clicked_at) as clicked_at,
		       (j.state, j.reason, j.claim, j.message_id, j.settled_at, j.confirmed_at, j.delivered_at, j.bounced_at,
		        j.bounce, j.complained_at, j.opened_at, j.clicked_at) as before
		from judged j
		left join lateral (select j.reason, j.settled_at, j.confirmed_at, j.delivered_at, j.bounced_at, j.bounce,
		                          j.complained_at, j.opened_at, j.clicked_at where j.verdict = 'same') old on true
		where verdict in ('take', 'same')
	), written as (
		update fanmail.recipient r
		set state = d.state, reason = d.reason, claim = d.claim, claimed_until = null, message_id = d.message_id,
		    settled_at = d.settled_at, confirmed_at = d.confirmed_at, delivered_at = d.delivered_at,
		    bounced_at = d.bounced_at, bounce = d.bounce, complained_at = d.complained_at, opened_at = d.opened_at,
		    clicked_at = d.clicked_at
		from decided d
		where r.campaign_id = d.campaign_id and r.seq = d.seq
		  and d.before is distinct from (d.state, d.reason, d.claim, d.message_id, d.settled_at, d.confirmed_at,
		      d.delivered_at, d.bounced_at, d.bounce, d.complained_at, d.opened_at, d.clicked_at)
		returning 1
	)
	select (select count(*) from found) as found, (select count(*) from written) as written,
	       (select coalesce(jsonb_agg(jsonb_build_object('campaign', campaign, 'seq', seq, 'recorded', message_id, 'other', new_id)
	           order by campaign, seq), '[]') from judged where verdict = 'doubled') as doubled`

// recipients changes the recipients of a round.
func (a *Applied) recipients(ctx context.Context, db bun.IDB, round []change) error {
	var row struct {
		Found   int64
		Written int64
		Doubled []Doubled `bun:"type:jsonb"`
	}
	values, err := array(round)
	if err != nil {
		return err
	}
	if err := db.NewRaw(applyRecipients, struct{ Changes string }{values}).Scan(ctx, &row); err != nil {
		return err
	}
	a.Recipients += row.Found
	a.Written += row.Written
	a.Unknown += int64(len(round)) - row.Found
	a.Doubled = append(a.Doubled, row.Doubled...)
	return nil
}

// suppress puts the addresses of permanent bounces and complaints on the suppression list. A complaint outweighs a bounce;
// any other reason stays.
func suppress(ctx context.Context, db bun.IDB, changes []change) error {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return c.Suppress == "" })
	if len(changes) == 0 {
		return nil
	}
	values, err := array(changes)
	if err != nil {
		return err
	}
	_, err = db.NewRaw(`
		with e as materialized (
			select c.id as campaign_id, e.seq, e.suppress
			from jsonb_to_recordset(?changes::jsonb) as e(campaign text, tag uuid, seq bigint, suppress text)
			join fanmail.campaign c on c.name = e.campaign and c.tag = e.tag
		)
		insert into fanmail.suppression as s (address, reason, created_at)
		select r.address, max(e.suppress), fanmail.clock()
		from e join fanmail.recipient r on r.campaign_id = e.campaign_id and r.seq = e.seq
		group by r.address order by r.address
		on conflict (address) do update set reason = excluded.reason
		where s.reason = ?bounced and excluded.reason = ?complained`,
		struct{ Changes, Bounced, Complained string }{values, suppressedByBounce, suppressedByComplaint}).Exec(ctx)
	return err
}

// probes notes when SES accepted probes.
func probes(ctx context.Context, db bun.IDB, witnesses []Witness) error {
	if len(witnesses) == 0 {
		return nil
	}
	witnesses = slices.Clone(witnesses)
	for i := range witnesses {
		witnesses[i].Campaign = storable(witnesses[i].Campaign)
	}
	values, err := array(witnesses)
	if err != nil {
		return err
	}
	_, err = db.NewRaw(`
		insert into fanmail.probe (campaign_id, accepted_at)
		select distinct c.id, w.accepted
		from jsonb_to_recordset(?::jsonb) as w(campaign text, tag uuid, accepted timestamptz)
		join fanmail.campaign c on c.name = w.campaign and c.tag = w.tag
		order by 1, 2
		on conflict do nothing`, values).Exec(ctx)
	return err
}

// witness moves witnessed_at of the campaigns. It never lies in the future, so that no event proves what is to come.
func witness(ctx context.Context, db bun.IDB, changes []change, witnesses []Witness) error {
	type key struct {
		campaign string
		tag      uuid.UUID
	}
	latest := map[key]Witness{}
	note := func(w Witness) {
		k := key{w.Campaign, w.Tag}
		if known, ok := latest[k]; !ok || known.Accepted.Before(w.Accepted) {
			latest[k] = w
		}
	}
	for _, w := range witnesses {
		w.Campaign = storable(w.Campaign)
		note(w)
	}
	for _, c := range changes {
		if c.Confirms {
			note(Witness{Campaign: c.Campaign, Tag: c.Tag, Accepted: c.last})
		}
	}
	if len(latest) == 0 {
		return nil
	}
	values, err := array(slices.Collect(maps.Values(latest)))
	if err != nil {
		return err
	}
	_, err = db.NewRaw(`
		with held as materialized (
			select c.id, least(w.accepted, fanmail.clock()) as accepted
			from jsonb_to_recordset(?::jsonb) as w(campaign text, tag uuid, accepted timestamptz)
			join fanmail.campaign c on c.name = w.campaign and c.tag = w.tag
			where c.witnessed_at < w.accepted order by c.id for update of c
		)
		update fanmail.campaign c set witnessed_at = greatest(c.witnessed_at, held.accepted) from held where c.id = held.id`,
		values).Exec(ctx)
	return err
}

// array is a JSON array for jsonb_to_recordset. The error is about a time beyond the year 9999.
func array[T any](items []T) (string, error) {
	text, err := json.Marshal(items)
	return string(text), err
}
