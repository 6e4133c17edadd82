package main

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/schedule"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// source is the campaign of an execution, and where its files are read.
type source struct {
	campaign, folder string
	// scheduled is true when a schedule started the execution: that its campaign has been started before is then no
	// failure.
	scheduled bool
}

// source finds out what the input means. The run of a recurring schedule is a campaign of its own, so whoever else has
// it shows that the schedule was delivered twice.
func (h *handler) source(ctx context.Context, in workflow.ExecutionInput, execution string) (source, error) {
	s := source{campaign: in.Campaign, folder: storage.CampaignFolder(in.Campaign)}
	recurring := in.ScheduledTime != ""
	switch {
	case recurring:
		due, err := schedule.ParseScheduledTime(in.ScheduledTime)
		if err != nil {
			return s, &workflow.InvalidCampaign{Message: "the execution's input: " + err.Error()}
		}
		s.campaign = schedule.RunName(in.Campaign, due)
	case in.Folder != "":
		s.folder = in.Folder
	default:
		return s, nil
	}
	s.scheduled = true
	db, err := h.db.DB()
	if err != nil {
		return s, err
	}
	c, err := ledger.Find(ctx, db, s.campaign)
	switch {
	case err != nil || c == nil:
		return s, err
	case c.Execution == execution && c.State != ledger.Importing:
		// An earlier attempt came as far as the import: it kept what it imported, and the folder may have changed
		// since.
		s.folder = storage.CampaignFolder(s.campaign)
	case c.Execution != execution && recurring:
		return s, &workflow.AlreadyStarted{Message: fmt.Sprintf("%s is the campaign of %s already: the schedule was delivered twice",
			s.campaign, c.Execution)}
	}
	return s, nil
}

// refused says why the campaign can't be opened. For a scheduled execution that is no failure if another execution has begun
// the campaign with the same list: those whom it is to mail are seen to. With another list somebody would be left out, and must
// be told.
func (h *handler) refused(ctx context.Context, db *bun.DB, execution string, s source, l *list, err error) error {
	var busy *workflow.CampaignBusy
	var invalid *workflow.InvalidCampaign
	if !s.scheduled || !errors.As(err, &busy) && !errors.As(err, &invalid) {
		return err
	}
	c, findErr := ledger.Find(ctx, db, s.campaign)
	switch {
	case findErr != nil:
		return findErr
	case c == nil || c.Execution == execution || c.RecipientsTag != l.digest:
		return err
	}
	return &workflow.AlreadyStarted{Message: "the schedule has nothing to start: " + workflow.Named(err).Error()}
}

// keep copies the files to the campaign's own folder, campaign.yaml last. From there the campaign is resumed, whatever
// becomes of the folder of the schedule.
func (h *handler) keep(ctx context.Context, s source, l *list) error {
	own := storage.CampaignFolder(s.campaign)
	if s.folder == own {
		return nil
	}
	for _, name := range l.content.Campaign.Files() {
		if err := h.store.Copy(ctx, path.Join(s.folder, name), path.Join(own, name)); err != nil {
			return err
		}
	}
	return nil
}
