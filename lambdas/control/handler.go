package main

import (
	"context"
	"fmt"
	"slices"

	"fanmail/shared/campaign"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/report"
	"fanmail/shared/workflow"
)

var actions = []string{
	workflow.ActionStatus, workflow.ActionRate, workflow.ActionResend, workflow.ActionDrop, workflow.ActionExamine, workflow.ActionSuppressed,
}

type handler struct {
	db *database.Handle
}

func (h *handler) handle(ctx context.Context, in workflow.ControlInput) (workflow.ControlOutput, error) {
	if !slices.Contains(actions, in.Action) {
		return workflow.ControlOutput{}, &workflow.InvalidRequest{Message: fmt.Sprintf("action %q is unknown: use one of %q", in.Action, actions)}
	}
	if !campaign.ValidLiveRate(in.Rate) {
		return workflow.ControlOutput{}, &workflow.InvalidRequest{Message: fmt.Sprintf("rate %v: %s", in.Rate, campaign.LiveRateRule)}
	}
	db, err := h.db.DB()
	if err != nil {
		return workflow.ControlOutput{}, err
	}
	var resolved int64
	switch in.Action {
	case workflow.ActionExamine:
		return examine(ctx, db)
	case workflow.ActionSuppressed:
		return suppressed(ctx, db, in.Addresses)
	case workflow.ActionRate:
		err = ledger.SetRate(ctx, db, in.Campaign, in.Rate)
	case workflow.ActionResend, workflow.ActionDrop:
		resolved, err = ledger.Resolve(ctx, db, in.Campaign, in.Action == workflow.ActionResend)
	}
	if err != nil {
		return workflow.ControlOutput{}, err
	}
	c, err := ledger.Known(ctx, db, in.Campaign)
	if err != nil {
		return workflow.ControlOutput{}, err
	}
	answer, err := report.Read(ctx, db, c)
	answer.Resolved = resolved
	return workflow.ControlOutput{Report: answer}, err
}
