package doctor

import (
	"testing"
	"time"
)

func TestClocksAreJudged(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	later := now.Add(4 * time.Second)
	verdicts(t, []judged{
		{"right", judgeClock(0), Passed, "right, to 1s", ""},
		{"AWS is a little ahead", judgeClock(30 * time.Second), Passed, "to 30s", ""},
		{"AWS is ahead", judgeClock(31 * time.Second), Failed, "31s behind AWS's", "set-ntp true"},
		{"AWS is behind", judgeClock(-time.Hour), Failed, "1h0m0s ahead of AWS's", "set-ntp true"},
		{"the ledger is right", judgeLedgerClock(now.Add(time.Second), now, later), Passed, "to 1s", ""},
		{"the answer took long", judgeLedgerClock(now, now, now.Add(time.Minute)), Passed, "to 1s", ""},
		{"the ledger is ahead", judgeLedgerClock(later.Add(25*time.Hour), now, later), Failed, "25h0m0s ahead of AWS's", "PostgreSQL server"},
		{"the ledger is behind", judgeLedgerClock(now.Add(-time.Minute), now, later), Failed, "1m0s behind AWS's", "PostgreSQL server"},
		{"the ledger is a little behind", judgeLedgerClock(now.Add(-30*time.Second), now, later), Passed, "to 30s", ""},
	})
}
