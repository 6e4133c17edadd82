// Package launch brings a campaign folder into the bucket and starts the state machine on it.
package launch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/storage"
)

// Uploader writes objects of the bucket.
type Uploader interface {
	Upload(ctx context.Context, key string, body io.Reader) error
}

// Upload copies files of a folder to the campaign's folder in the bucket, in their order. Memory does not grow with their size.
func Upload(ctx context.Context, to Uploader, f folder.Folder, campaign string, files []string, progress terminal.Progress) error {
	_, err := uploadTo(ctx, to, f, storage.CampaignFolder(campaign), files, progress)
	return err
}

// uploadTo copies files of a folder to one of the bucket, and tells the SHA-256 of their names and contents.
func uploadTo(ctx context.Context, to Uploader, f folder.Folder, target string, files []string, progress terminal.Progress) (digest string, err error) {
	defer progress.Done()
	progress.Step(fmt.Sprintf("uploading %s: %s", f.Name, strings.Join(files, ", ")))
	sum := sha256.New()
	for _, name := range files {
		content := sha256.New()
		if err := upload(ctx, to, f, target+"/"+name, name, content); err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s\x00%x\n", name, content.Sum(nil)) // a hash never fails
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// upload copies a file, and writes what it reads to copied as well.
func upload(ctx context.Context, to Uploader, f folder.Folder, key, name string, copied io.Writer) error {
	file, err := f.FS.Open(name)
	if err != nil {
		return fmt.Errorf("uploading %s: %w", name, err)
	}
	defer file.Close()
	return to.Upload(ctx, key, io.TeeReader(file, copied))
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
