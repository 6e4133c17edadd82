package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/google/uuid"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/storage"
)

// FreezeID names the frozen copy of a folder: the time in UTC and a few random characters.
func FreezeID(at time.Time) string { return at.UTC().Format("20060102-150405-") + uuid.NewString()[:6] }

// ScheduledName is the name of the execution of a one-time schedule: the campaign, the day, and a few characters of
// its own, so that another schedule of the same campaign starts another execution. The longest campaign leaves room
// for them.
func ScheduledName(campaign string, at time.Time) string {
	return campaign + at.UTC().Format("-20060102-") + uuid.NewString()[:6]
}

// Freeze uploads the checked folder to a folder of the bucket, and tells the SHA-256 of all. stamp is the folder's
// Stamp from before the check: what changed since was not checked.
func (s Source) Freeze(ctx context.Context, to Uploader, target, stamp string, progress terminal.Progress) (digest string, err error) {
	files := s.Checked.Content.Campaign.Files()
	digest, err = uploadTo(ctx, to, *s.Folder, target, files, progress)
	if err == nil && stampOf(*s.Folder, files) != stamp {
		err = errors.New("the folder was changed while it was checked and uploaded: nothing is scheduled, so schedule it again")
	}
	return digest, err
}

// Place is Freeze for the campaign's own folder.
func (s Source) Place(ctx context.Context, to Uploader, stamp string, progress terminal.Progress) (digest string, err error) {
	return s.Freeze(ctx, to, storage.CampaignFolder(s.Campaign), stamp, progress)
}

// Stamp tells sizes and times of the files of a campaign's folder; it is empty where there is none.
func Stamp(path string) string {
	f, err := folder.Open(path)
	if err != nil {
		return ""
	}
	content, err := folder.Content(f)
	if err != nil {
		return ""
	}
	return stampOf(f, content.Campaign.Files())
}

func stampOf(f folder.Folder, files []string) string {
	var b strings.Builder
	for _, name := range files {
		info, err := fs.Stat(f.FS, name)
		if err != nil {
			return ""
		}
		fmt.Fprintf(&b, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
	}
	return b.String()
}
