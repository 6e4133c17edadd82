package ledger

import "time"

// Clock knows by how much the caller's clock is ahead of the ledger's, so that time slots are kept to the millisecond although the answer
// to a claim waits for locks and for the disk. The zero value knows nothing. It is for one caller, who makes one claim at a time.
type Clock struct {
	ahead time.Duration
	known bool
}

// see takes note of a statement that the caller sent at asked and had the answer to at answered; by the ledger's clock PostgreSQL
// began it later than the one, at begun, and was not done before the other, at ended. What is known is kept as far as that allows.
func (c *Clock) see(asked, begun, ended, answered time.Time) {
	least, most := asked.Sub(begun), answered.Sub(ended)
	if !c.known {
		c.ahead, c.known = least, true
	}
	c.ahead = min(max(c.ahead, least), most)
}

// until is how long it is from now, by the caller's clock, to a time of the ledger.
func (c *Clock) until(t, now time.Time) time.Duration { return t.Add(c.ahead).Sub(now) }
