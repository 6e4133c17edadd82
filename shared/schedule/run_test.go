package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestARunIsNamedWithItsTimeInUTC(t *testing.T) {
	due := time.Date(2026, 12, 1, 9, 0, 30, 0, zone(t, "Asia/Seoul"))
	name := strings.Repeat("n", MaxRecurringName)
	run := RunName(name, due)
	if run != name+"-20261201-0000" || len(run) != 64 || !IsRun(run, name) {
		t.Errorf("%s has %d characters", run, len(run))
	}
	for _, other := range []string{"news", "news-20261201", "news-20261201-09000", "old-news-20261201-0900", "news-2026120x-0900"} {
		if IsRun(other, "news") {
			t.Errorf("%s is taken for a run of news", other)
		}
	}
}

func TestAScheduledTimeIsReadInEveryForm(t *testing.T) {
	want := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	for _, text := range []string{
		"2026-12-01T09:00:00Z", "2026-12-01T09:00:00.000Z", "2026-12-01T18:00:00+09:00", "2026-12-01T09:00Z", "2026-12-01T09:00:00", "2026-12-01T09:00",
	} {
		if got, err := ParseScheduledTime(text); err != nil || !got.Equal(want) {
			t.Errorf("%s is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "<aws.scheduler.scheduled-time>", "2026-12-01", "tomorrow"} {
		if got, err := ParseScheduledTime(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}
