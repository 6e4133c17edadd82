package demo

import (
	"fmt"

	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
)

// Measured is what the local runtime saw while the campaign ran.
type Measured struct {
	// Environments is the number of Lambda execution environments that were started.
	Environments int `json:"environments"`
	// MaxConnections is the largest number of database sessions in any sample of pg_stat_activity, less those that were
	// there before the runtime.
	MaxConnections int `json:"maxConnections"`
	// ConnectionBound is the most that there can be: the sum of the reserved concurrency of the functions.
	ConnectionBound int `json:"connectionBound"`
}

// Summary is the result of a demo. Recipients = Sent + Failed + Suppressed + Skipped + InDoubt.
type Summary struct {
	Recipients int64 `json:"recipients"`
	Sent       int64 `json:"sent"`
	Failed     int64 `json:"failed"`
	Suppressed int64 `json:"suppressed"`
	Skipped    int64 `json:"skipped"`
	InDoubt    int64 `json:"inDoubt"`
	// Rejected lines of the list are no recipients.
	Rejected int64 `json:"rejected"`
	// Seconds is the time of the execution from its start to its stop, the import of the list included.
	Seconds           float64 `json:"seconds"`
	MessagesPerSecond float64 `json:"messagesPerSecond"`
	Waves             int     `json:"waves"`
	Batches           int64   `json:"batches"`
	Measured
}

// NewSummary takes the counts from the report of an execution that succeeded. The error is for a report that does not add up.
func NewSummary(end follow.End, measured Measured) (Summary, error) {
	r := end.Report
	s := Summary{
		Recipients: r.Recipients, Sent: r.Sent, Failed: r.Failed, Suppressed: r.Suppressed, Skipped: r.Skipped,
		InDoubt: r.InDoubt, Rejected: r.Rejected, Seconds: end.Seconds, Waves: r.Waves, Batches: r.Batches, Measured: measured,
	}
	if s.Seconds > 0 {
		s.MessagesPerSecond = float64(s.Sent) / s.Seconds
	}
	if sum := s.Sent + s.Failed + s.Suppressed + s.Skipped + s.InDoubt; sum != s.Recipients {
		return s, fmt.Errorf("the report does not add up: %d recipients, but %d sent, failed, suppressed, skipped or in doubt", s.Recipients, sum)
	}
	return s, nil
}

// Rows are the summary for terminal.Table.
func (s Summary) Rows() [][]string {
	n := terminal.Number
	return [][]string{
		{"recipients", n(s.Recipients), fmt.Sprintf("= %s sent + %s failed + %s suppressed + %s skipped + %s in doubt",
			n(s.Sent), n(s.Failed), n(s.Suppressed), n(s.Skipped), n(s.InDoubt))},
		{"rejected lines", n(s.Rejected)},
		{"seconds", fmt.Sprintf("%.1f", s.Seconds)},
		{"messages/s", n(int64(s.MessagesPerSecond))},
		{"waves", n(int64(s.Waves))},
		{"batches", n(s.Batches)},
		{"environments started", n(int64(s.Environments))},
		{"database connections", n(int64(s.MaxConnections)), fmt.Sprintf("at most, where the bound is %s", n(int64(s.ConnectionBound)))},
	}
}
