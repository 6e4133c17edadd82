// Package report prints what a finished campaign left in the bucket.
package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

// Source downloads objects of the bucket, and asks the ledger for a campaign.
type Source interface {
	Status(ctx context.Context, campaign string) (workflow.Report, error)
	Download(ctx context.Context, key string, w io.Writer) error
}

// Options say what to print and what to download. A file named - is stdout, and then the report itself is not printed.
type Options struct {
	Outcomes, Rejects string
	JSON              bool
}

// Validate refuses options that would mix two things on stdout.
func (o Options) Validate() error {
	if o.Outcomes == "-" && o.Rejects == "-" || o.JSON && (o.Outcomes == "-" || o.Rejects == "-") {
		return errors.New("only one of --outcomes -, --rejects - and --json can go to stdout")
	}
	return nil
}

// Print reads the report of a campaign, downloads the files that were asked for, and prints the report.
func Print(ctx context.Context, source Source, campaign string, o Options, stdout io.Writer) error {
	var raw bytes.Buffer
	err := source.Download(ctx, "reports/"+campaign+"/report.json", &raw)
	if errors.Is(err, cloud.ErrNoObject) {
		if _, err := source.Status(ctx, campaign); cloud.IsUnknownCampaign(err) {
			return fmt.Errorf("there is no campaign %s", campaign)
		}
		return fmt.Errorf("%s has no report yet: an execution writes it when it ends; `fanmail status %s` shows how far it is", campaign, campaign)
	}
	if err != nil {
		return err
	}
	var r workflow.Report
	if err := json.Unmarshal(raw.Bytes(), &r); err != nil {
		return fmt.Errorf("reading the report of %s: %w", campaign, err)
	}
	// SES events and `fanmail resolve` go on changing the ledger; only the files stay as they were.
	if now, err := source.Status(ctx, campaign); err == nil && now.Execution == r.Execution {
		now.Outcomes, now.Rejects = r.Outcomes, r.Rejects
		r = now
	}
	if err := download(ctx, source, r.Outcomes, o.Outcomes, stdout); err != nil {
		return err
	}
	if err := download(ctx, source, r.Rejects, o.Rejects, stdout); err != nil {
		return err
	}
	switch {
	case o.Outcomes == "-" || o.Rejects == "-":
		return nil
	case o.JSON:
		return terminal.JSON(stdout, r)
	}
	return follow.Print(stdout, r, []string{"outcomes", place(r.Outcomes, o.Outcomes)}, []string{"rejects", place(r.Rejects, o.Rejects)})
}

func place(object workflow.Object, file string) string {
	if file != "" {
		return file
	}
	if object.Key == "" {
		return "none"
	}
	return "s3://" + object.Bucket + "/" + object.Key
}

// download writes the object to a file under a temporary name first, so that a file with the right name is whole.
func download(ctx context.Context, source Source, object workflow.Object, file string, stdout io.Writer) error {
	switch {
	case file == "":
		return nil
	case object.Key == "":
		return fmt.Errorf("%s: the report names no such file", file)
	case file == "-":
		return source.Download(ctx, object.Key, stdout)
	}
	part, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name()) // gone after the rename
	err = errors.Join(source.Download(ctx, object.Key, part), part.Chmod(0o644), part.Close())
	if err != nil {
		return err
	}
	return os.Rename(part.Name(), file)
}
