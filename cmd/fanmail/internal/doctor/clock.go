package doctor

import (
	"fmt"
	"time"
)

// maxSkew is how far two clocks may be apart. AWS refuses requests from 5 minutes on; waits and quotas of a campaign
// are wrong by as much.
const maxSkew = 30 * time.Second

// judgeClock judges this machine's clock. skew is by how much AWS's is ahead of it.
func judgeClock(skew time.Duration) Verdict {
	if skew.Abs() <= maxSkew {
		return passed("this machine's clock is right, to %s", max(time.Second, skew.Abs().Round(time.Second)))
	}
	return failed("this machine's clock is "+apart(-skew)+" AWS's",
		"set it by the network: sudo timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com)")
}

// judgeLedgerClock judges the clock of the ledger, that was read at some time between from and to, on AWS's clock.
func judgeLedgerClock(clock, from, to time.Time) Verdict {
	ahead := time.Duration(0)
	switch {
	case clock.After(to):
		ahead = clock.Sub(to)
	case clock.Before(from):
		ahead = clock.Sub(from)
	}
	if ahead.Abs() <= maxSkew {
		return passed("the ledger's clock is right, to %s", max(time.Second, ahead.Abs().Round(time.Second)))
	}
	return failed("the ledger's clock is "+apart(ahead)+" AWS's: waits, quotas and hours would be wrong by as much",
		"set the clock of the PostgreSQL server by the network (a local runtime whose clock was moved: start it again)")
}

// apart says how far a clock is ahead of another, or behind.
func apart(ahead time.Duration) string {
	if ahead < 0 {
		return fmt.Sprintf("%s behind", (-ahead).Round(time.Second))
	}
	return fmt.Sprintf("%s ahead of", ahead.Round(time.Second))
}
