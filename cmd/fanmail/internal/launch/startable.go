package launch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/shared/workflow"
)

// Startable refuses a campaign that can't be started, or has nothing left to send. Prepare refuses the same; but then the
// upload has already changed the folder that a campaign under way is resumed from.
func (s Source) Startable(ctx context.Context, deployment follow.Source) error {
	r, err := deployment.Status(ctx, s.Campaign)
	if cloud.IsUnknownCampaign(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case r.State == "cancelled":
		return fmt.Errorf("campaign %s was cancelled and can't be started again; give the folder a new name to mail it anew", s.Campaign)
	case r.State == "finished" && r.Pending == 0 && r.InDoubt > 0:
		return fmt.Errorf("%s finished already on %s, and holds %d recipients in doubt: `fanmail resolve %s --resend` makes them pending, `--drop` leaves them out",
			s.Campaign, r.EndedAt.UTC().Format("2006-01-02 at 15:04 UTC"), r.InDoubt, s.Campaign)
	case r.State == "finished" && r.Pending == 0:
		return fmt.Errorf("%s finished already on %s: nothing is left to send; to mail again, give the folder a new name",
			s.Campaign, r.EndedAt.UTC().Format("2006-01-02 at 15:04 UTC"))
	case follow.UnderWay(r):
		_, runs, err := follow.Owner(ctx, deployment, r)
		if err != nil {
			return err
		}
		if runs {
			return fmt.Errorf("campaign %s is being run by %s; wait for it to end, or stop it first", s.Campaign, r.Execution)
		}
	}
	return s.sameList(r)
}

// Uploadable refuses to change the folder of a campaign that is under way, or was begun with another list. One that has ended for
// good needs its folder no more.
func (s Source) Uploadable(ctx context.Context, deployment follow.Source) error {
	r, err := deployment.Status(ctx, s.Campaign)
	switch {
	case cloud.IsUnknownCampaign(err):
		return nil
	case err != nil:
		return err
	case r.State == "cancelled", r.State == "finished" && r.Pending == 0:
		return nil
	}
	return s.Startable(ctx, deployment)
}

// sameList holds the list of the folder against the one in the ledger. While that is importing, any list will do; a control
// function older than the digest says nothing.
func (s Source) sameList(r workflow.Report) error {
	if s.Folder == nil || r.State == "importing" || r.RecipientsDigest == "" {
		return nil
	}
	name := s.Checked.Content.Campaign.Recipients
	digest, err := digestOf(*s.Folder, name)
	if err != nil {
		return err
	}
	if digest != r.RecipientsDigest {
		return fmt.Errorf("campaign %s: %s is not the file that the campaign was started with; put the old one back to resume it, or give the folder a new name to mail the new list",
			s.Campaign, name)
	}
	return nil
}

// digestOf is the SHA-256 of a file, as the ledger keeps it.
func digestOf(f folder.Folder, name string) (string, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
