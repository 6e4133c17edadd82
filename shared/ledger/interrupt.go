package ledger

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// Interrupt notes that the campaign's execution has ended without closing it. A running campaign becomes Interrupted,
// so that its senders, which outlive an execution, claim nothing more; one whose import was under way stays
// Importing. It tells whether it changed anything: not if the campaign is closed, nor if another execution has it by
// now. So it may be called late, and twice.
func Interrupt(ctx context.Context, db bun.IDB, c *Campaign, reason string) (bool, error) {
	result, err := db.NewUpdate().Model(c).
		Set("state = case when state = ? then ? else state end", Running, Interrupted).
		Set("reason = ?", reason).
		Set("ended_at = fanmail.clock()").
		Where("id = ? and execution = ?", c.ID, c.Execution).
		Where("state in (?, ?) and ended_at is null", Running, Importing).
		Returning("*").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("noting the interruption of campaign %s: %w", c.Name, err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
