package launch

import (
	"context"
	"errors"
	"fmt"
	"os"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/campaign"
	"fanmail/shared/storage"
)

// Bucket is what the search for a campaign and its upload need of the cloud.
type Bucket interface {
	Uploader
	Exists(ctx context.Context, key string) (bool, error)
}

// Source is where a campaign was found: a checked folder on this machine, or (Folder nil) only a name.
type Source struct {
	Campaign string
	Folder   *folder.Folder
	// Checked is the result of the check of Folder.
	Checked *folder.Result
}

// Find takes the path of a folder, which it checks whole, or the name of a campaign that is in the bucket already.
func Find(ctx context.Context, argument string, progress terminal.Progress) (Source, error) {
	if _, err := os.Stat(argument); errors.Is(err, os.ErrNotExist) && campaign.ValidName(argument) {
		return Source{Campaign: argument}, nil
	}
	return FindFolder(ctx, argument, progress)
}

// FindFolder takes the path of a folder only, and checks it whole.
func FindFolder(ctx context.Context, argument string, progress terminal.Progress) (Source, error) {
	f, err := folder.Open(argument)
	if err != nil {
		return Source{}, err
	}
	checked, err := folder.Check(ctx, f, progress)
	if err != nil {
		return Source{}, err
	}
	return Source{Campaign: checked.Campaign, Folder: &f, Checked: checked}, checked.Err()
}

// Bring makes sure that the campaign's folder is in the bucket: uploaded when it came from this machine.
func (s Source) Bring(ctx context.Context, bucket Bucket, progress terminal.Progress) error {
	if s.Folder != nil {
		return Upload(ctx, bucket, *s.Folder, s.Campaign, s.Checked.Content.Campaign.Files(), progress)
	}
	found, err := bucket.Exists(ctx, storage.CampaignFolder(s.Campaign)+"/"+campaign.File)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: no such folder here, and no campaign of this name in the bucket", s.Campaign)
	}
	return nil
}
