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

// noWaveYet is Campaign.SettledBefore before the execution's first wave, so that it can't look fruitless.
const noWaveYet = -1

// Opening is what Open needs to know of the campaign and of the execution that wants it.
type Opening struct {
	Name          string
	Execution     string
	Settings      json.RawMessage
	RecipientsTag string
	// RecipientsFile is the name of the recipients file, for errors.
	RecipientsFile string
	// Predecessor is an execution that is known to have ended; Open takes the campaign over from it.
	Predecessor string
}

// Open creates the campaign, or takes it up where it stood, for the execution. A campaign that another execution owns
// and that is under way comes back with ok false and the owner in Execution: ask whether that one still runs.
// The error is *workflow.InvalidCampaign when the campaign can't be started again, *workflow.CampaignBusy when the execution
// is known to have ended: a straggler must not make the campaign run for nobody.
func Open(ctx context.Context, db bun.IDB, o Opening) (c *Campaign, ok bool, err error) {
	c = &Campaign{Name: o.Name, State: Importing, Execution: o.Execution, Settings: o.Settings, RecipientsTag: o.RecipientsTag, Rejected: map[string]int64{}, SettledBefore: noWaveYet}
	result, err := db.NewInsert().Model(c).On("conflict (name) do nothing").Returning("*").Exec(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("creating campaign %s: %w", o.Name, err)
	}
	if n, _ := result.RowsAffected(); n == 1 {
		return c, true, nil
	}
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		c = new(Campaign)
		if err := tx.NewSelect().Model(c).Where("name = ?", o.Name).For("update").Scan(ctx); err != nil {
			return err
		}
		if ok, err = resumable(c, o); err != nil || !ok {
			return err
		}
		if c.State != Importing {
			c.State = Running
		}
		c.Reason, c.Execution, c.Settings, c.RecipientsTag = "", o.Execution, o.Settings, o.RecipientsTag
		c.SettledBefore, c.Fruitless = noWaveYet, 0
		_, err := tx.NewUpdate().Model(c).
			Column("state", "reason", "execution", "settings", "recipients_tag", "settled_before", "fruitless").
			Set("ended_at = null, wave_ended_at = null, doubted_at = null").WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("taking up campaign %s: %w", o.Name, err)
	}
	return c, ok, nil
}

// resumable decides whether the execution of o may have the campaign c.
func resumable(c *Campaign, o Opening) (bool, error) {
	underWay := c.State == Importing || c.State == Running
	switch {
	case !c.EndedAt.IsZero() && c.Execution == o.Execution:
		return false, &workflow.CampaignBusy{
			Message: fmt.Sprintf("campaign %s: this execution has ended meanwhile; start the campaign again", c.Name),
		}
	case c.State == Cancelled:
		return false, &workflow.InvalidCampaign{Message: fmt.Sprintf("campaign %s was cancelled and can't be started again; give the folder a new name to mail it anew", c.Name)}
	case underWay && c.Execution != o.Execution && c.Execution != o.Predecessor:
		return false, nil
	case c.State != Importing && c.RecipientsTag != o.RecipientsTag:
		return false, &workflow.InvalidCampaign{Message: fmt.Sprintf("campaign %s: %s is not the file that the campaign was started with; put the old one back to resume it, or give the folder a new name to mail the new list", c.Name, o.RecipientsFile)}
	}
	return true, nil
}

// Find returns the campaign by name, or nil when there is none.
func Find(ctx context.Context, db bun.IDB, name string) (*Campaign, error) {
	return find(ctx, db, "name = ?", name)
}

// Known returns the campaign by name. The error is *workflow.CampaignUnknown when there is none.
func Known(ctx context.Context, db bun.IDB, name string) (*Campaign, error) {
	c, err := Find(ctx, db, name)
	if err == nil && c == nil {
		err = unknown(name)
	}
	return c, err
}

func unknown(campaign string) error {
	return &workflow.CampaignUnknown{Message: fmt.Sprintf("there is no campaign %q in the ledger: it has not been started yet", campaign)}
}

// FindOwned returns the campaign that the execution owns, or nil when it owns none.
func FindOwned(ctx context.Context, db bun.IDB, execution string) (*Campaign, error) {
	return find(ctx, db, "execution = ?", execution)
}

func find(ctx context.Context, db bun.IDB, where string, value string) (*Campaign, error) {
	c := new(Campaign)
	err := db.NewSelect().Model(c).Where(where, value).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking up the campaign of %s: %w", value, err)
	}
	return c, nil
}

// Halt stops a running campaign for a reason that concerns all of it, such as a suspended SES account.
func Halt(ctx context.Context, db bun.IDB, name, execution, reason string) error {
	_, err := db.NewUpdate().Model((*Campaign)(nil)).
		Set("state = ?, reason = ?", Halted, reason).
		Where("name = ? and execution = ? and state = ?", name, execution, Running).Exec(ctx)
	if err != nil {
		return fmt.Errorf("halting campaign %s: %w", name, err)
	}
	return nil
}

// EndWave keeps every sender of the wave from claiming more.
func EndWave(ctx context.Context, db bun.IDB, name, execution string, wave int, by EndedBy) error {
	_, err := db.NewUpdate().Model((*Campaign)(nil)).
		Set("ended_wave = ?, ended_by = ?, wave_ended_at = fanmail.clock()", wave, by).
		Where("name = ? and execution = ? and ended_wave < ?", name, execution, wave).Exec(ctx)
	if err != nil {
		return fmt.Errorf("ending wave %d of campaign %s: %w", wave, name, err)
	}
	return nil
}

// Close ends the campaign of the execution as Finished or Failed, for the reason. A campaign that was paused, halted,
// cancelled or finished meanwhile keeps its state and reason; one whose import failed stays Importing, so that the next
// start imports from scratch.
func Close(ctx context.Context, db bun.IDB, c *Campaign, state CampaignState, reason string) error {
	err := db.NewUpdate().Model(c).
		Set("state = case when state in (?, ?) then ? else state end", Running, Failed, state).
		Set("reason = case when state in (?, ?, ?) then ? else reason end", Running, Failed, Importing, reason).
		Set("ended_at = fanmail.clock()").
		Where("id = ? and execution = ?", c.ID, c.Execution).Returning("*").Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return takenOver(c.Name)
	}
	if err != nil {
		return fmt.Errorf("closing campaign %s: %w", c.Name, err)
	}
	return nil
}
