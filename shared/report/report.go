// Package report makes what a user reads after, and during, a campaign.
package report

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// The files of a report, in the report folder of the campaign.
const (
	File         = "report.json"
	OutcomesFile = "outcomes.csv"
	RejectsFile  = "rejects.csv"
)

// Of sums up a campaign. held are the first of the recipients in doubt.
func Of(c *ledger.Campaign, counts ledger.Counts, held []ledger.HeldRecipient) workflow.Report {
	r := workflow.Report{
		Campaign: c.Name, Execution: c.Execution, State: string(c.State), Reason: c.Reason,
		Recipients: c.Recipients, RecipientsDigest: c.RecipientsTag,
		Sent: counts.Sent, Failed: counts.Failed, Suppressed: counts.Suppressed, Skipped: counts.Skipped,
		InDoubt: counts.InDoubt, Pending: counts.Pending + counts.Claimed,
		Confirmed: counts.Confirmed, Delivered: counts.Delivered, Bounced: counts.Bounced, Complained: counts.Complained,
		Opened: counts.Opened, Clicked: counts.Clicked,
		Rejected: c.RejectedLines(), RejectedByReason: c.Rejected,
		Waves: c.Waves, Batches: c.Batches, StartedAt: c.StartedAt, EndedAt: c.EndedAt,
	}
	if c.State == ledger.Finished {
		// SES events and `fanmail resolve` may have changed it since.
		r.Reason = counts.Finished()
	}
	for _, h := range held {
		r.Held = append(r.Held, workflow.Held(h))
	}
	return r
}

// Read sums up a campaign as it stands in the ledger now.
func Read(ctx context.Context, db bun.IDB, c *ledger.Campaign) (workflow.Report, error) {
	counts, err := ledger.Count(ctx, db, c.ID)
	if err != nil {
		return workflow.Report{}, err
	}
	var held []ledger.HeldRecipient
	if counts.InDoubt > 0 {
		if held, err = ledger.Held(ctx, db, c.ID, workflow.MaxHeld); err != nil {
			return workflow.Report{}, err
		}
	}
	return Of(c, counts, held), nil
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
