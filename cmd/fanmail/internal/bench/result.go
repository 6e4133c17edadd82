package bench

import (
	"fmt"
	"time"

	"fanmail/cmd/fanmail/internal/terminal"
)

// Speed is a number of messages over a time.
type Speed struct {
	Seconds           float64 `json:"seconds"`
	MessagesPerSecond float64 `json:"messagesPerSecond"`
}

func speed(messages int64, d time.Duration) Speed {
	s := Speed{Seconds: d.Seconds()}
	if s.Seconds > 0 {
		s.MessagesPerSecond = float64(messages) / s.Seconds
	}
	return s
}

// Result is what a run measured. Nothing in it is held against a limit.
type Result struct {
	Recipients int64 `json:"recipients"`
	Sent       int64 `json:"sent"`
	// Processors is how many this machine gives to everything that runs: functions, database, runtime, SES.
	Processors int `json:"processors"`
	// Senders is how many sender functions worked at a time, and how many processes the bare loop has; each has Parallel
	// calls of SES in flight.
	Senders  int `json:"senders"`
	Parallel int `json:"parallel"`
	// LatencyMilliseconds is what SES takes to answer, on top of its work.
	LatencyMilliseconds float64 `json:"latencyMilliseconds"`
	Waves               int     `json:"waves"`
	Batches             int64   `json:"batches"`
	// EndToEnd is the execution from StartExecution to its end, the import of the list and the report included.
	EndToEnd Speed `json:"endToEnd"`
	// Sending is the campaign from the first to the last acceptance by SES.
	Sending Speed `json:"sending"`
	Loop    Speed `json:"bareLoop"`
	// Ratio is EndToEnd to Loop, SendingRatio is Sending to Loop, in messages per second.
	Ratio        float64 `json:"ratio"`
	SendingRatio float64 `json:"sendingRatio"`
	// Statements is nil where the database does not count them.
	Statements      *Statements `json:"statements"`
	Sender          Memory      `json:"senderMemory"`
	Prepare         Memory      `json:"prepareMemory"`
	MaxConnections  int         `json:"maxConnections"`
	ConnectionBound int         `json:"connectionBound"`
}

// kindsShown is how many kinds of statements Rows has, and queryShown how much of each.
const kindsShown, queryShown = 5, 60

// Rows are the result for terminal.Table.
func (r Result) Rows() [][]string {
	n := terminal.Number
	pace := func(s Speed) string { return fmt.Sprintf("%s messages/s", n(int64(s.MessagesPerSecond))) }
	rows := [][]string{
		{"recipients", n(r.Recipients), fmt.Sprintf("%d waves, %s batches", r.Waves, n(r.Batches))},
		{"machine", fmt.Sprintf("%d processors", r.Processors), fmt.Sprintf("for everything; SES answers after %g ms", r.LatencyMilliseconds)},
		{"senders", n(int64(r.Senders)), fmt.Sprintf("each with %d calls in flight; the bare loop has as many processes", r.Parallel)},
		{"end to end", pace(r.EndToEnd), fmt.Sprintf("%.1f s from StartExecution to its end, with import and report", r.EndToEnd.Seconds)},
		{"sending alone", pace(r.Sending), fmt.Sprintf("%.1f s from the first to the last acceptance", r.Sending.Seconds)},
		{"bare loop", pace(r.Loop), fmt.Sprintf("%.1f s of the same calls without database, state machine and Lambda", r.Loop.Seconds)},
		{"ratio", fmt.Sprintf("%.2f", r.Ratio), fmt.Sprintf("end to end to bare loop; sending alone %.2f", r.SendingRatio)},
		{"sender memory", memory(r.Sender.Heap) + " heap", memory(r.Sender.Resident) + " resident, at most in one environment"},
		{"prepare memory", memory(r.Prepare.Heap) + " heap", memory(r.Prepare.Resident) + " resident"},
		{"database connections", n(int64(r.MaxConnections)), fmt.Sprintf("at most, where the bound is %d", r.ConnectionBound)},
	}
	if r.Statements == nil {
		return append(rows, []string{"SQL statements", "not measured", "pg_stat_statements is not available"})
	}
	rows = append(rows, []string{"SQL statements", fmt.Sprintf("%.1f", r.Statements.PerThousand),
		fmt.Sprintf("per 1,000 recipients, %.1f s in the database; most of it in:", r.Statements.Seconds)})
	for _, kind := range r.Statements.Kinds[:min(kindsShown, len(r.Statements.Kinds))] {
		query := []rune(kind.Query)
		rows = append(rows, []string{"", fmt.Sprintf("%.1f", kind.PerThousand), fmt.Sprintf("%.1f s  %s", kind.Seconds, string(query[:min(queryShown, len(query))]))})
	}
	return rows
}

func memory(bytes int64) string {
	if bytes == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d MiB", (bytes+(1<<20)-1)>>20)
}
