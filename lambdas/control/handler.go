package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

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
	// limit is the largest number of sessions that the functions' role may have.
	limit int
}

func (h *handler) handle(ctx context.Context, in workflow.ControlInput) (out workflow.ControlOutput, err error) {
	if !slices.Contains(actions, in.Action) {
		return out, &workflow.InvalidRequest{Message: fmt.Sprintf("action %q is unknown: use one of %q", in.Action, actions)}
	}
	if !campaign.ValidLiveRate(in.Rate) {
		return out, &workflow.InvalidRequest{Message: fmt.Sprintf("rate %v: %s", in.Rate, campaign.LiveRateRule)}
	}
	proof, err := uuid.Parse(in.Proof)
	if err != nil && in.Proof != "" {
		return out, &workflow.InvalidRequest{Message: fmt.Sprintf("proof %q is no UUID", in.Proof)}
	}
	db, err := h.db.DB()
	if err != nil {
		return out, err
	}
	var resolved int64
	switch in.Action {
	case workflow.ActionExamine:
		out.Database, err = h.examine(ctx, db, proof)
		return out, err
	case workflow.ActionSuppressed:
		return suppressed(ctx, db, in.Addresses)
	case workflow.ActionRate:
		err = ledger.SetRate(ctx, db, in.Campaign, in.Rate)
	case workflow.ActionResend, workflow.ActionDrop:
		resolved, err = ledger.Resolve(ctx, db, in.Campaign, in.Action == workflow.ActionResend)
	}
	if err != nil {
		return out, err
	}
	c, err := ledger.Known(ctx, db, in.Campaign)
	if err != nil {
		return out, err
	}
	out.Report, err = report.Read(ctx, db, c)
	out.Resolved = resolved
	return out, err
}

// examine says what the functions see of PostgreSQL.
func (h *handler) examine(ctx context.Context, db *bun.DB, proof uuid.UUID) (*workflow.Database, error) {
	d, err := ledger.Examine(ctx, db, proof)
	if err != nil {
		return nil, err
	}
	d.Bound = h.limit
	return &d, nil
}
