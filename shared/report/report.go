// Package report makes what a user reads after, and during, a campaign.
package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// The files of a report, in the report folder of the campaign.
const (
	File         = "report.json"
	OutcomesFile = "outcomes.csv"
	RejectsFile  = "rejects.csv"
)

// Of sums up a campaign.
func Of(c *ledger.Campaign, counts ledger.Counts) workflow.Report {
	return workflow.Report{
		Campaign: c.Name, Execution: c.Execution, State: string(c.State), Reason: c.Reason,
		Recipients: c.Recipients, RecipientsDigest: c.RecipientsTag,
		Sent: counts.Sent, Failed: counts.Failed, Suppressed: counts.Suppressed, Skipped: counts.Skipped,
		InDoubt: counts.InDoubt, Pending: counts.Pending + counts.Claimed,
		Rejected: c.RejectedLines(), RejectedByReason: c.Rejected,
		Waves: c.Waves, Batches: c.Batches, StartedAt: c.StartedAt, EndedAt: c.EndedAt,
	}
}

// WriteOutcomes writes outcomes.csv: one line per recipient, in the order of the recipients file.
func WriteOutcomes(w io.Writer, rows func(yield func(ledger.OutcomeRow) error) error) error {
	lines := csv.NewWriter(w)
	if err := lines.Write([]string{"seq", "line", "email", "state", "reason", "messageId", "settledAt"}); err != nil {
		return err
	}
	err := rows(func(row ledger.OutcomeRow) error {
		settled := ""
		if !row.SettledAt.IsZero() {
			settled = row.SettledAt.UTC().Format(time.RFC3339)
		}
		return lines.Write([]string{strconv.FormatInt(row.Seq, 10), strconv.FormatInt(row.Line, 10), row.Address, row.State, row.Reason, row.MessageID, settled})
	})
	if err != nil {
		return err
	}
	lines.Flush()
	return lines.Error()
}
