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
	// Now is the clock of this machine; the other times are moved by what the database's clock differs from it.
	Now time.Time
	// ClaimedUntil is when the last claim under way runs out; zero when there is none.
	ClaimedUntil time.Time
	// SentToday is how many recipients were sent to within the last 24 hours; OldestToday is when the first of them was.
	SentToday   int64
	OldestToday time.Time
	// Trouble is one of the reasons that pending recipients carry from attempts that came to nothing.
	Trouble string
}

// Stand reads how the campaign of the execution stands. The error is *workflow.CampaignBusy when another execution has
// taken the campaign over.
func Stand(ctx context.Context, db bun.IDB, name, execution string) (Standing, error) {
	var s Standing
	err := db.NewSelect().Model(&s.Campaign).Where("name = ? and execution = ?", name, execution).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return s, takenOver(name)
	}
	if err != nil {
		return s, fmt.Errorf("reading campaign %s: %w", name, err)
	}
	var row struct {
		Counts       `bun:",extend"`
		Now          time.Time
		ClaimedUntil time.Time
		SentToday    int64
		OldestToday  time.Time
		Trouble      string
	}
	err = db.NewRaw(`
		select `+countColumns+`,
		       now() as now,
		       max(claimed_until) filter (where state = 'claimed' and claimed_until > now()) as claimed_until,
		       count(*) filter (where state = 'sent' and settled_at > now() - interval '24 hours') as sent_today,
		       min(settled_at) filter (where state = 'sent' and settled_at > now() - interval '24 hours') as oldest_today,
		       max(reason) filter (where state = 'pending') as trouble
		from fanmail.recipient where campaign_id = ?`, s.Campaign.ID).Scan(ctx, &row)
	if err != nil {
		return s, fmt.Errorf("counting recipients of campaign %s: %w", name, err)
	}
	s.Counts, s.Now, s.SentToday, s.Trouble = row.Counts, time.Now(), row.SentToday, row.Trouble
	ahead := s.Now.Sub(row.Now)
	s.ClaimedUntil, s.OldestToday = moved(row.ClaimedUntil, ahead), moved(row.OldestToday, ahead)
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
	count(*) filter (where state = 'claimed' and claimed_until > now()) as claimed,
	count(*) filter (where state = 'claimed' and claimed_until <= now()) as in_doubt,
	count(*) filter (where state = 'sent') as sent,
	count(*) filter (where state = 'failed') as failed,
	count(*) filter (where state = 'suppressed') as suppressed,
	count(*) filter (where state = 'skipped') as skipped`

// Count counts the recipients of a campaign by state.
func Count(ctx context.Context, db bun.IDB, campaign int64) (Counts, error) {
	var counts Counts
	err := db.NewRaw(`select `+countColumns+` from fanmail.recipient where campaign_id = ?`, campaign).Scan(ctx, &counts)
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
	// AccountRate and CampaignRate are recipients per second; CampaignRate 0 means no slower than the account.
	AccountRate  float64
	CampaignRate float64
}

// StartWave counts a wave and sets the pace that its senders keep.
func StartWave(ctx context.Context, db bun.IDB, w Wave) error {
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewUpdate().Model((*Campaign)(nil)).
			Set("waves = waves + 1, batches = batches + ?, settled_before = ?, fruitless = ?", w.Batches, w.Settled, w.Fruitless).
			Where("id = ? and execution = ? and waves = ?", w.Campaign.ID, w.Campaign.Execution, w.Campaign.Waves).Exec(ctx)
		if err != nil {
			return fmt.Errorf("starting a wave of campaign %s: %w", w.Campaign.Name, err)
		}
		if n, _ := result.RowsAffected(); n != 1 {
			if owned, err := FindOwned(ctx, tx, w.Campaign.Execution); err != nil || owned == nil {
				return cmp.Or[error](err, takenOver(w.Campaign.Name))
			}
			return &workflow.Interrupted{Message: fmt.Sprintf("wave %d of campaign %s was planned twice at once", w.Campaign.Waves+1, w.Campaign.Name)}
		}
		// The order of the locks is that of Claim: the campaign's row of pace, then the account's.
		key := fmt.Sprintf("campaign/%d", w.Campaign.ID)
		if w.CampaignRate > 0 && w.CampaignRate < w.AccountRate {
			err = setPace(ctx, tx, key, w.CampaignRate)
		} else {
			err = dropPace(ctx, tx, key)
		}
		if err != nil {
			return err
		}
		return setPace(ctx, tx, accountPace, w.AccountRate)
	})
}

// accountPace is the key of the account's row of pace.
const accountPace = "account"

// setPace changes a rate. The slots that are booked already are moved with it.
func setPace(ctx context.Context, db bun.IDB, key string, rate float64) error {
	_, err := db.ExecContext(ctx, `
		insert into fanmail.pace as p (key, rate) values (?, ?)
		on conflict (key) do update set rate = excluded.rate,
		    next_at = case when p.rate <> excluded.rate and p.next_at > clock_timestamp()
		        then clock_timestamp() + (p.next_at - clock_timestamp()) * (p.rate / excluded.rate) else p.next_at end`, key, rate)
	if err != nil {
		return fmt.Errorf("setting the pace of %s: %w", key, err)
	}
	return nil
}

func dropPace(ctx context.Context, db bun.IDB, key string) error {
	if _, err := db.ExecContext(ctx, `delete from fanmail.pace where key = ?`, key); err != nil {
		return fmt.Errorf("dropping the pace of %s: %w", key, err)
	}
	return nil
}
