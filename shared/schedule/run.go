package schedule

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// runLayout is what is put behind the name of a recurring schedule to name the campaign of one of its runs.
const runLayout = "-20060102-1504"

// MaxRecurringName is the longest name of a recurring schedule: those of its runs' campaigns have 64 characters at
// most.
const MaxRecurringName = 64 - len(runLayout)

// RunName is the campaign of the run of a recurring schedule that is due at a time: spring-news-20261201-0900, in UTC.
func RunName(name string, due time.Time) string { return name + due.UTC().Format(runLayout) }

var runPattern = regexp.MustCompile(`^-[0-9]{8}-[0-9]{4}$`)

// IsRun tells whether a campaign can be a run of the recurring schedule of a name.
func IsRun(campaign, name string) bool {
	rest, ok := strings.CutPrefix(campaign, name)
	return ok && runPattern.MatchString(rest)
}

// scheduledTimeLayouts are how a scheduled time may be written. Scheduler's guide shows 2022-03-22T18:59:43Z and
// promises no form; a time without a zone is taken as UTC, which all the guide's examples are in.
var scheduledTimeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04"}

// ParseScheduledTime reads what Scheduler puts for <aws.scheduler.scheduled-time>.
func ParseScheduledTime(text string) (time.Time, error) {
	for _, layout := range scheduledTimeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("the scheduled time %q: write it as 2026-12-01T09:00:00Z", text)
}
