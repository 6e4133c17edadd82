package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"

	"fanmail/shared/ledger"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// failedFile is the first file of a Map's ResultWriter on children that failed: a JSON array of executions.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
const failedFile = "FAILED_0.json"

// results is the prefix of what the Map wrote about a wave.
func (h *handler) results(c *ledger.Campaign, wave int) workflow.Object {
	return h.store.Object(storage.WorkFolder(c.Name, c.Execution), fmt.Sprintf("wave-%04d-results", wave))
}

// explain adds to a CampaignStuck why a sender of the last wave failed, if one did: the Map tolerates failed children, so
// nobody has been told yet.
func (h *handler) explain(ctx context.Context, c *ledger.Campaign, err error) error {
	var stuck *workflow.CampaignStuck
	if !errors.As(err, &stuck) {
		return err
	}
	failure, lookErr := h.firstFailure(ctx, h.results(c, c.Waves).Key)
	if lookErr != nil {
		slog.WarnContext(ctx, "looking for the reason of a failed wave", "campaign", c.Name, "wave", c.Waves, "error", lookErr.Error())
	}
	if failure == nil {
		return err
	}
	return &workflow.CampaignStuck{Message: stuck.Message + "; the senders fail with " + failure.Reason()}
}

// firstFailure is the error of the first child that failed, or nil when none did.
func (h *handler) firstFailure(ctx context.Context, prefix string) (*workflow.StateError, error) {
	keys, err := h.store.List(ctx, prefix+"/")
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if path.Base(key) != failedFile {
			continue
		}
		body, _, err := h.store.Open(ctx, key)
		if err != nil {
			return nil, err
		}
		defer func() { _ = body.Close() }()
		// The file may be large: only its first element is read.
		decoder := json.NewDecoder(body)
		var failure workflow.StateError
		if _, err = decoder.Token(); err == nil {
			err = decoder.Decode(&failure)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", key, err)
		}
		return &failure, nil
	}
	return nil, nil
}
