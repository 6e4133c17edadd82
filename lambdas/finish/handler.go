package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/uptrace/bun"

	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/report"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

type handler struct {
	db    *database.Handle
	store *storage.Store
}

// handle closes the campaign that the execution owns. An execution that owns none (it failed before it had one, or
// lost it to another) gets an empty report, and nothing is changed.
func (h *handler) handle(ctx context.Context, in workflow.FinishInput) (workflow.Report, error) {
	db, err := h.db.DB()
	if err != nil {
		return workflow.Report{}, err
	}
	c, err := ledger.FindOwned(ctx, db, in.Execution)
	if err != nil || c == nil {
		return workflow.Report{Execution: in.Execution}, err
	}
	if in.Reason == workflow.ReasonInterrupted && in.Error != nil {
		return interrupt(ctx, db, c, in.Error.Error)
	}
	rejects := h.store.Object(storage.ReportFolder(c.Name), report.RejectsFile)
	outcomes := h.store.Object(storage.ReportFolder(c.Name), report.OutcomesFile)
	state, reason := ledger.Finished, in.Reason
	if in.Error != nil {
		state, reason = ledger.Failed, in.Error.Reason()
	}
	if err := ledger.Close(ctx, db, c, state, reason); err != nil {
		return workflow.Report{}, err
	}
	err = h.store.Write(ctx, outcomes.Key, "text/csv; charset=utf-8", func(w io.Writer) error {
		return report.WriteOutcomes(w, func(yield func(ledger.OutcomeRow) error) error {
			return ledger.Outcomes(ctx, db, c.ID, yield)
		})
	})
	if err != nil {
		return workflow.Report{}, err
	}
	summary, err := report.Read(ctx, db, c)
	if err != nil {
		return workflow.Report{}, err
	}
	summary.Outcomes, summary.Rejects = outcomes, rejects
	return summary, h.store.PutJSON(ctx, h.store.Object(storage.ReportFolder(c.Name), report.File).Key, summary)
}

// interrupt notes that the execution, which owns the campaign, has ended with the status. It writes no report: the
// events of messages that are out are still to come, and the next start goes on.
func interrupt(ctx context.Context, db *bun.DB, c *ledger.Campaign, status string) (workflow.Report, error) {
	changed, err := ledger.Interrupt(ctx, db, c, workflow.Interruption(c.Name, status))
	if err != nil || !changed {
		return workflow.Report{Execution: c.Execution}, err
	}
	slog.WarnContext(ctx, "interrupted", "campaign", c.Name, "execution", c.Execution, "status", status)
	return workflow.Report{Campaign: c.Name, Execution: c.Execution, State: string(c.State), Reason: c.Reason}, nil
}
