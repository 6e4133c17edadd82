// Package launch brings a campaign folder into the bucket and starts the state machine on it.
package launch

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
)

// Uploader writes objects of the bucket.
type Uploader interface {
	Upload(ctx context.Context, key string, body io.Reader) error
}

// Key is where a file of a campaign's folder lies in the bucket.
func Key(campaign, file string) string { return "campaigns/" + campaign + "/" + file }

// Upload copies files of a folder to the bucket, in their order. Memory does not grow with their size.
func Upload(ctx context.Context, to Uploader, f folder.Folder, campaign string, files []string, progress terminal.Progress) error {
	defer progress.Done()
	progress.Step(fmt.Sprintf("uploading %s: %s", campaign, strings.Join(files, ", ")))
	for _, name := range files {
		if err := upload(ctx, to, f, Key(campaign, name), name); err != nil {
			return err
		}
	}
	return nil
}

func upload(ctx context.Context, to Uploader, f folder.Folder, key, name string) error {
	file, err := f.FS.Open(name)
	if err != nil {
		return fmt.Errorf("uploading %s: %w", name, err)
	}
	defer file.Close()
	return to.Upload(ctx, key, file)
}

// maxExecutionName is the limit of Step Functions.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
const maxExecutionName = 80

// ExecutionName is the campaign with the time in UTC to the millisecond: unique, and sorted by time in every list.
func ExecutionName(campaign string, at time.Time) string {
	at = at.UTC()
	suffix := "-" + at.Format("20060102-150405-") + at.Format(".000")[1:]
	if longest := maxExecutionName - len(suffix); len(campaign) > longest {
		campaign = campaign[:longest]
	}
	return campaign + suffix
}
