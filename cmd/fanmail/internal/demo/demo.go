package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

// Cloud is what a demo does at the endpoint of the local runtime.
type Cloud interface {
	launch.Uploader
	follow.Source
	StartExecution(ctx context.Context, name string, in workflow.ExecutionInput) (arn string, err error)
}

// Demo sends one campaign folder through a running local runtime.
type Demo struct {
	Folder folder.Folder
	Cloud  Cloud
	// Endpoint is the runtime's; its mailbox must be empty at the start.
	Endpoint string
	// Measured is asked when the execution has ended.
	Measured func() Measured
	Progress terminal.Progress
}

// Renamed gives the folder a name with the time in it, so that a ledger that outlives the demo does not know the campaign. A
// campaign.yaml that says its name itself keeps it.
func Renamed(f folder.Folder, at time.Time) folder.Folder {
	const longest = 64
	suffix := at.UTC().Format("-20060102-150405")
	renamed := folder.Folder{Name: f.Name[:min(len(f.Name), longest-len(suffix))] + suffix, FS: f.FS}
	if _, err := folder.Content(renamed); err != nil {
		return f
	}
	return renamed
}

// Run uploads the folder, starts the campaign, follows it, and holds the mailbox against the list. An error after the
// execution succeeded comes with the summary.
func (d Demo) Run(ctx context.Context) (*Summary, error) {
	content, err := folder.Content(d.Folder)
	if err != nil {
		return nil, err
	}
	name := content.Campaign.Name
	if err := d.checkLedger(ctx, name); err != nil {
		return nil, err
	}
	if err := launch.Upload(ctx, d.Cloud, d.Folder, name, content.Campaign.Files(), d.Progress); err != nil {
		return nil, err
	}
	arn, err := d.Cloud.StartExecution(ctx, launch.ExecutionName(name, time.Now()), workflow.ExecutionInput{Campaign: name})
	if err != nil {
		return nil, err
	}
	end, err := follow.Follower{Source: d.Cloud, Progress: d.Progress}.Follow(ctx, arn, name)
	if err != nil {
		return nil, err
	}
	if end.Report == nil {
		return nil, end.Err()
	}
	summary, wrong := NewSummary(end, d.Measured())
	d.Progress.Step("comparing the mailbox with the list")
	defer d.Progress.Done()
	return &summary, errors.Join(end.Err(), wrong, d.audit(ctx, end))
}

// checkLedger refuses a ledger that knows the campaign: its recipients may have been mailed already, and then the mailbox
// would rightly stay empty.
func (d Demo) checkLedger(ctx context.Context, name string) error {
	_, err := d.Cloud.Status(ctx, name)
	if cloud.IsUnknownCampaign(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("the ledger of DATABASE_URL has a campaign %s already: take out its name in campaign.yaml, or unset DATABASE_URL", name)
}

func (d Demo) audit(ctx context.Context, end follow.End) error {
	mailbox, err := openMailbox(ctx, d.Endpoint)
	if err != nil {
		return err
	}
	defer mailbox.Close()
	return Audit(d.Folder, mailbox, *end.Report)
}

// openMailbox streams what the local SES accepted.
func openMailbox(ctx context.Context, endpoint string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_mailbox.jsonl", nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading the mailbox: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close() // nothing was asked of it
		return nil, fmt.Errorf("reading the mailbox: %s answers %s", request.URL, answer.Status)
	}
	return answer.Body, nil
}
