package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"fanmail/shared/workflow"
)

// accountPace is the key of the account's row of pace.
const accountPace = "account"

// ownPace is the key of the row of pace of a campaign that is slower than the account.
func ownPace(campaign int64) string { return fmt.Sprintf("campaign/%d", campaign) }

// setPace changes what is allowed. A rate that is lower, because SES has throttled, keeps its share of it. A campaign that may send
// faster than it did does not wait for the slots that it has booked; their claims keep them, at the pace of the account.
func setPace(ctx context.Context, db bun.IDB, key string, allowed float64) error {
	_, err := db.ExecContext(ctx, `
		insert into fanmail.pace as p (key, allowed, rate) values (?, ?, ?)
		on conflict (key) do update set allowed = excluded.allowed,
		    rate = least(p.rate * (excluded.allowed / p.allowed), excluded.allowed),
		    next_at = case when excluded.allowed > p.allowed and p.key <> ?
		        then least(p.next_at, fanmail.clock() + make_interval(secs => ?)) else p.next_at end`,
		key, allowed, allowed, accountPace, ownClaimSpan.Seconds())
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

// SetRate changes the rate of a campaign, in recipients per second, from now on; 0 means no slower than the account. Senders
// keep to it with their next claim, some two seconds later at most. The error is *workflow.CampaignUnknown when there is none,
// *workflow.InvalidRequest when it is not under way: its next start takes the rate of campaign.yaml.
func SetRate(ctx context.Context, db bun.IDB, name string, rate float64) error {
	value, err := json.Marshal(rate)
	if err != nil {
		return fmt.Errorf("rate %v: %w", rate, err)
	}
	return db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var id int64
		var state CampaignState
		err := tx.NewRaw(`
			update fanmail.campaign set settings = jsonb_set(settings, '{rate}', ?::jsonb) where name = ? returning id, state`,
			string(value), name).Scan(ctx, &id, &state)
		if errors.Is(err, sql.ErrNoRows) {
			return unknown(name)
		}
		if err != nil {
			return fmt.Errorf("setting the rate of campaign %s: %w", name, err)
		}
		if state != Importing && state != Running {
			return &workflow.InvalidRequest{Message: fmt.Sprintf("campaign %s is %s: its next start takes the rate of campaign.yaml, so change it there", name, state)}
		}
		if rate == 0 {
			return dropPace(ctx, tx, ownPace(id))
		}
		return setPace(ctx, tx, ownPace(id), rate)
	})
}
