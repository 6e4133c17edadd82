package main

import (
	"context"
	"fmt"

	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/report"
	"fanmail/shared/workflow"
)

type handler struct {
	db *database.Handle
}

func (h *handler) handle(ctx context.Context, in workflow.ControlInput) (workflow.Report, error) {
	if in.Action != workflow.ActionStatus {
		return workflow.Report{}, &workflow.InvalidRequest{Message: fmt.Sprintf("action %q is unknown: use %q", in.Action, workflow.ActionStatus)}
	}
	db, err := h.db.DB()
	if err != nil {
		return workflow.Report{}, err
	}
	c, err := ledger.Find(ctx, db, in.Campaign)
	if err != nil {
		return workflow.Report{}, err
	}
	if c == nil {
		return workflow.Report{}, &workflow.CampaignUnknown{Message: fmt.Sprintf("there is no campaign %q in the ledger: it has not been started yet", in.Campaign)}
	}
	counts, err := ledger.Count(ctx, db, c.ID)
	if err != nil {
		return workflow.Report{}, err
	}
	return report.Of(c, counts), nil
}
