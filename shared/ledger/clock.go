package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
)

// Clock knows by how much the caller's clock is ahead of the ledger's, so that time slots are kept to the millisecond: the answer to
// a claim comes when it is committed, which takes now more and now less. It is for one caller at a time, and for minutes.
type Clock struct {
	ahead time.Duration
	known bool
}

// ask has the first look, with a statement that nothing delays but the way of its answer.
func (c *Clock) ask(ctx context.Context, db bun.IDB) error {
	if c.known {
		return nil
	}
	asked := time.Now()
	var now time.Time
	if err := db.NewRaw("select fanmail.clock()").Scan(ctx, &now); err != nil {
		return fmt.Errorf("reading the ledger's clock: %w", err)
	}
	c.see(asked, now, now, time.Now())
	return nil
}

// see takes note of a statement that the caller sent at asked and had the answer to at answered; by the ledger's clock PostgreSQL
// had begun it at begun and not answered it at ended. What is known is kept as far as that allows.
func (c *Clock) see(asked, begun, ended, answered time.Time) {
	least, most := asked.Sub(begun), answered.Sub(ended)
	if !c.known {
		c.ahead, c.known = most, true
	}
	c.ahead = min(max(c.ahead, least), most)
}

// until is how long it is from the caller's now to a time of the ledger.
func (c *Clock) until(t, now time.Time) time.Duration { return t.Add(c.ahead).Sub(now) }
