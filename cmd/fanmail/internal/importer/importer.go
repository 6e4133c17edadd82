// Package importer makes a campaign's recipients.csv from what other senders export: segments of Amazon Pinpoint and
// subscribers of listmonk. Those who have opted out stand in a file of their own beside it.
//
// An export is read twice: for the columns and for all who have opted out, and then for the rows. The memory that
// this takes does not grow with the rows, but for a hash of 8 bytes (and the map around it) per address.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fanmail/shared/campaign"
)

// The files that an import writes into its folder.
const (
	RecipientsFile = "recipients.csv"
	OptOutsFile    = "optouts.csv"
)

// Options say what to import.
type Options struct {
	Format Format
	// Files are the export; plain or compressed with gzip.
	Files []string
	// OptedOut are further files of addresses that have opted out: CSV with a column email or address.
	OptedOut []string
	// Folder is the campaign's; it is made if it is not there.
	Folder string
	// Overwrite replaces files of an earlier import.
	Overwrite bool
	// Seen, if set, is called with the number of records read so far, of both passes.
	Seen func(records int64)
}

// Run imports. What is wrong with the input is an error of a line for each problem, and nothing is written then.
func Run(ctx context.Context, o Options) (*Summary, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &scan{options: o, columns: columns{}, optedOut: newAddresses()}
	if err := s.survey(ctx); err != nil {
		return nil, err
	}
	columns, err := s.columns.named(o.Format)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder: %w", err)
	}
	summary, err := s.write(ctx, columns)
	if err != nil {
		return nil, err
	}
	summary.Starter, err = writeStarter(o.Folder, summary.Columns)
	return summary, err
}

// check finds what can be found before the export is read.
func (o Options) check() error {
	var wrong []error
	absolute, err := filepath.Abs(o.Folder)
	if err != nil {
		return err
	}
	if name := filepath.Base(absolute); !campaign.ValidName(name) {
		wrong = append(wrong, fmt.Errorf("--out %s: %q can't be the name of a campaign: take 1 to 64 of a-z, 0-9 and -, the first no -", o.Folder, name))
	}
	for _, file := range []string{RecipientsFile, OptOutsFile} {
		path := filepath.Join(o.Folder, file)
		if _, err := os.Lstat(path); err == nil && !o.Overwrite {
			wrong = append(wrong,
				fmt.Errorf("%s is there already: write into another folder, or replace it with --overwrite", path))
		}
	}
	for _, path := range append(append([]string{}, o.Files...), o.OptedOut...) {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			wrong = append(wrong, fmt.Errorf("%s: no such file", path))
		case err != nil:
			wrong = append(wrong, err)
		case info.IsDir():
			wrong = append(wrong,
				fmt.Errorf("%s is a folder: name the files in it, as in %s", path, filepath.Join(path, "*")))
		case !info.Mode().IsRegular():
			wrong = append(wrong,
				fmt.Errorf("%s is no regular file: an export is read twice, so write it to a file first", path))
		}
	}
	return errors.Join(wrong...)
}
