package ledger

import (
	"testing"
	"time"
)

func TestTheClockIsKnownAsWellAsTheFastestWayAllows(t *testing.T) {
	const ahead = time.Hour
	// now is the caller's clock at its n-th millisecond, then the ledger's.
	epoch := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	mine := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	its := func(ms int) time.Time { return mine(ms).Add(-ahead) }
	var c Clock
	for _, step := range []struct {
		name                          string
		asked, begun, ended, answered int
		off                           time.Duration
	}{
		{"the first statement waits for 200 ms on its way", 0, 200, 201, 202, -200 * time.Millisecond},
		{"a fast one", 1000, 1001, 1002, 1003, -time.Millisecond},
		{"an answer that waits for the disk", 2000, 2001, 2002, 2502, -time.Millisecond},
		{"a slow way", 3000, 3400, 3401, 3402, -time.Millisecond},
		{"the caller's clock loses 10 ms", 4010, 4001, 4002, 4013, 9 * time.Millisecond},
		{"its clock gains 20 ms", 4990, 5001, 5002, 4993, -9 * time.Millisecond},
	} {
		c.see(mine(step.asked), its(step.begun), its(step.ended), mine(step.answered))
		if off := c.ahead - ahead; off != step.off {
			t.Errorf("%s: off by %v, want %v", step.name, off, step.off)
		}
		if until := c.until(its(9000), mine(8000)); until != time.Second+step.off {
			t.Errorf("%s: a second is %v", step.name, until)
		}
	}
}
