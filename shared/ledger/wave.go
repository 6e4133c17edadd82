package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"fanmail/shared/workflow"
)

// Standing is all that Plan needs to know of a campaign.
type Standing struct {
	Campaign Campaign
	Counts   Counts
	// Now is the caller's clock; the other times are moved by what the database's clock differs from it.
	Now time.Time
	// ClaimedUntil is when the last claim under way runs out; zero when there is none. DoubtUntil is when the last claim
	// ran out that left a recipient in doubt; zero when there is none.
	ClaimedUntil time.Time
	DoubtUntil   time.Time
	// Witnessed: an event of a message that SES accepted after DoubtUntil has arrived.
	Witnessed bool
	// SentToday is how many recipients were sent to within the last 24 hours; OldestToday is when the first of them was.
	SentToday   int64
	OldestToday time.Time
	// Trouble is one of the reasons that pending recipients carry from attempts that came to nothing.
	Trouble string
}

// Owned returns the campaign of the execution. The error is *workflow.CampaignBusy when another execution has taken the
// campaign over.
func Owned(ctx context.Context, db bun.IDB, name, execution string) (*Campaign, error) {
	c := new(Campaign)
	err := db.NewSelect().Model(c).Where("name = ? and execution = ?", name, execution).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, takenOver(name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading campaign %s: %w", name, err)
	}
	return c, nil
}

// Stand reads how the campaign stands at now, by the caller's clock.
func Stand(ctx context.Context, db bun.IDB, c *Campaign, now time.Time) (Standing, error) {
	s := Standing{Campaign: *c, Now: now}
	var row struct {
		Counts       `bun:",extend"`
		Now          time.Time
		ClaimedUntil time.Time
		DoubtUntil   time.Time
		SentToday    int64
		OldestToday  time.Time
		Trouble      string
	}
	err := db.NewRaw(`
		select `+countColumns+`,
		       max(now) as now,
		       max(claimed_until) filter (where state = 'claimed' and claimed_until > now) as claimed_until,
		       max(claimed_until) filter (where state = 'claimed' and claimed_until <= now) as doubt_until,
		       count(*) filter (where state = 'sent' and settled_at > now - interval '24 hours') as sent_today,
		       min(settled_at) filter (where state = 'sent' and settled_at > now - interval '24 hours') as oldest_today,
		       max(reason) filter (where state = 'pending') as trouble
		from fanmail.clock() as now left join fanmail.recipient on campaign_id = ?`, s.Campaign.ID).Scan(ctx, &row)
	if err != nil {
		return s, fmt.Errorf("counting recipients of campaign %s: %w", c.Name, err)
	}
	s.Counts, s.SentToday, s.Trouble = row.Counts, row.SentToday, row.Trouble
	s.Witnessed = s.Campaign.WitnessedAt.After(row.DoubtUntil)
	ahead := s.Now.Sub(row.Now)
	s.ClaimedUntil, s.DoubtUntil, s.OldestToday = moved(row.ClaimedUntil, ahead), moved(row.DoubtUntil, ahead), moved(row.OldestToday, ahead)
	s.Campaign.DoubtedAt = moved(s.Campaign.DoubtedAt, ahead)
	s.Campaign.WaveEndedAt = moved(s.Campaign.WaveEndedAt, ahead)
	return s, nil
}

func takenOver(campaign string) error {
	return &workflow.CampaignBusy{Message: fmt.Sprintf("campaign %s is not, or no longer, this execution's: another one has taken it over", campaign)}
}

func moved(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}

const countColumns = `
	count(*) filter (where state = 'pending') as pending,
	count(*) filter (where state = 'claimed' and claimed_until > now) as claimed,
	count(*) filter (where state = 'claimed' and claimed_until <= now) as in_doubt,
	count(*) filter (where state = 'sent') as sent,
	count(*) filter (where state = 'failed') as failed,
	count(*) filter (where state = 'suppressed') as suppressed,
	count(*) filter (where state = 'skipped') as skipped,
	count(confirmed_at) as confirmed,
	count(delivered_at) as delivered,
	count(bounced_at) as bounced,
	count(complained_at) as complained,
	count(opened_at) as opened,
	count(clicked_at) as clicked`

// Count counts the recipients of a campaign by state.
func Count(ctx context.Context, db bun.IDB, campaign int64) (Counts, error) {
	var counts Counts
	err := db.NewRaw(`select `+countColumns+` from fanmail.clock() as now left join fanmail.recipient on campaign_id = ?`, campaign).Scan(ctx, &counts)
	if err != nil {
		return counts, fmt.Errorf("counting recipients: %w", err)
	}
	return counts, nil
}

// Batches yields the batches of a wave: contiguous ranges of seq that hold size pending recipients each (the last may
// hold fewer), up to limit recipients in all, in constant memory.
func Batches(ctx context.Context, db bun.IDB, campaign, size, limit int64, yield func(workflow.Batch) error) error {
	rows, err := db.QueryContext(ctx, `
		select min(seq), max(seq), count(*)
		from (select seq, (row_number() over (order by seq) - 1) / ? as batch
		      from (select seq from fanmail.recipient
		            where campaign_id = ? and state = 'pending' order by seq limit ?) pending) numbered
		group by batch order by batch`, size, campaign, limit)
	if err != nil {
		return fmt.Errorf("listing batches: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for number := 1; rows.Next(); number++ {
		batch := workflow.Batch{Number: number}
		if err := rows.Scan(&batch.First, &batch.Last, &batch.Pending); err != nil {
			return fmt.Errorf("listing batches: %w", err)
		}
		if err := yield(batch); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("listing batches: %w", err)
	}
	return nil
}

// Wave is what is kept of a planned wave.
type Wave struct {
	Campaign  *Campaign
	Batches   int64
	Settled   int64
	Fruitless int
	// AccountRate is in recipients per second. The campaign's own is that of its settings.
	AccountRate float64
	// Length is how long its senders may claim.
	Length time.Duration
}

// NoteWait notes what a running campaign waits for.
func NoteWait(ctx context.Context, db bun.IDB, c *Campaign, reason string) error {
	_, err := db.NewUpdate().Model(c).Set("reason = ?", reason).
		Where("id = ? and execution = ? and state = ?", c.ID, c.Execution, Running).Exec(ctx)
	if err != nil {
		return fmt.Errorf("noting what campaign %s waits for: %w", c.Name, err)
	}
	return nil
}

// StartWave counts a wave and sets the pace that its senders keep.
func StartWave(ctx context.Context, db bun.IDB, w Wave) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var rate float64
		err := tx.NewUpdate().Model((*Campaign)(nil)).
			Set("waves = waves + 1, batches = batches + ?, settled_before = ?, fruitless = ?", w.Batches, w.Settled, w.Fruitless).
			// A campaign that is interrupted meanwhile keeps the reason.
			Set("doubted_at = null, reason = case when state = ? then '' else reason end", Running).
			Set("wave_until = fanmail.clock() + make_interval(secs => ?)", w.Length.Seconds()).
			Where("id = ? and execution = ? and waves = ?", w.Campaign.ID, w.Campaign.Execution, w.Campaign.Waves).
			// Whoever changed the rate meanwhile is not overruled.
			Returning("coalesce((settings ->> 'rate')::float8, 0)").Scan(ctx, &rate)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("starting a wave of campaign %s: %w", w.Campaign.Name, err)
		}
		if err != nil {
			if owned, err := FindOwned(ctx, tx, w.Campaign.Execution); err != nil || owned == nil {
				return cmp.Or[error](err, takenOver(w.Campaign.Name))
			}
			return &workflow.Interrupted{Message: fmt.Sprintf("wave %d of campaign %s was planned twice at once", w.Campaign.Waves+1, w.Campaign.Name)}
		}
		// The order of the locks is that of Claim: the campaign's row of pace, then the account's.
		key := ownPace(w.Campaign.ID)
		if rate > 0 && rate < w.AccountRate {
			err = setPace(ctx, tx, key, rate)
		} else {
			err = dropPace(ctx, tx, key)
		}
		if err != nil {
			return err
		}
		return setPace(ctx, tx, accountPace, w.AccountRate)
	})
}
