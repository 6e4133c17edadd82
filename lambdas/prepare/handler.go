package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/uptrace/bun"

	"fanmail/shared/campaign"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

type handler struct {
	db         *database.Handle
	store      *storage.Store
	executions executions
}

// handle checks everything that can be checked, then opens the campaign and imports its recipients. Running it again
// changes nothing.
func (h *handler) handle(ctx context.Context, in workflow.PrepareInput) (workflow.PrepareOutput, error) {
	out := workflow.PrepareOutput{Execution: in.Execution}
	object, err := inputObject(in.Input)
	if err != nil {
		return out, err
	}
	input, err := executionInput(object)
	if err != nil {
		return out, err
	}
	from, err := h.source(ctx, input, in.Execution)
	if err != nil {
		return out, err
	}
	out.Campaign = from.campaign
	list, err := h.check(ctx, from)
	if err != nil {
		return out, invalid(from.campaign, err)
	}
	db, err := h.db.DB()
	if err != nil {
		return out, err
	}
	c, err := h.open(ctx, db, in.Execution, list)
	if err != nil {
		return out, h.refused(ctx, db, in.Execution, from, list, err)
	}
	if err := h.keep(ctx, from, list); err != nil {
		return out, err
	}
	if c.State == ledger.Importing {
		if err := h.importRecipients(ctx, db, c, list); err != nil {
			return out, invalid(from.campaign, err)
		}
	}
	out.Recipients, out.Rejected, out.Plan.Wave = c.Recipients, c.RejectedLines(), c.Waves
	out.Content = h.store.Object(storage.WorkFolder(c.Name, c.Execution), "content.json")
	return out, h.store.PutJSON(ctx, out.Content.Key, campaign.Snapshot{Content: *list.content, Columns: list.columns})
}

// open opens the campaign, and takes it over from an execution that no longer runs.
func (h *handler) open(ctx context.Context, db *bun.DB, execution string, list *list) (*ledger.Campaign, error) {
	settings, err := json.Marshal(list.content.Campaign)
	if err != nil {
		return nil, err
	}
	opening := ledger.Opening{Name: list.content.Campaign.Name, Execution: execution, Settings: settings,
		RecipientsTag: list.digest, RecipientsFile: list.content.Campaign.Recipients}
	c, ok, err := ledger.Open(ctx, db, opening)
	if err != nil || ok {
		return c, err
	}
	running, err := stillRuns(ctx, h.executions, c.Execution)
	if err != nil {
		return nil, err
	}
	if !running {
		slog.InfoContext(ctx, "taking over", "campaign", c.Name, "from", c.Execution)
		opening.Predecessor = c.Execution
		if c, ok, err = ledger.Open(ctx, db, opening); err != nil || ok {
			return c, err
		}
	}
	return nil, &workflow.CampaignBusy{Message: fmt.Sprintf("campaign %s is being run by %s; wait for it to end, or stop it first", c.Name, c.Execution)}
}

// invalid names the errors that the author of the campaign can mend.
func invalid(name string, err error) error {
	var problems campaign.Problems
	if errors.As(err, &problems) {
		return &workflow.InvalidCampaign{Message: fmt.Sprintf("campaign %s: %s", name, problems.Error())}
	}
	return err
}
