package importer

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"fanmail/shared/recipients"
)

// write is the second pass. Both files get their names when both are whole.
func (s *scan) write(ctx context.Context, columns []Column) (*Summary, error) {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	list, err := create(s.options.Folder, RecipientsFile, names...)
	if err != nil {
		return nil, err
	}
	defer list.discard()
	optOuts, err := create(s.options.Folder, OptOutsFile, "address", "reason")
	if err != nil {
		return nil, err
	}
	defer optOuts.discard()
	w := writer{scan: s, columns: columns, list: list, optOuts: optOuts, written: newAddresses(),
		listed:  newAddresses(),
		summary: newSummary(s.options, columns)}
	if err := w.all(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(list.finish(), optOuts.finish()); err != nil {
		return nil, err
	}
	// In this order there is no list without its opt-outs.
	if err := optOuts.keep(); err != nil {
		return nil, err
	}
	return w.summary, list.keep()
}

// writer writes the records of the second pass.
type writer struct {
	*scan
	columns       []Column
	list, optOuts *output
	written       addresses
	listed        addresses
	summary       *Summary
}

// all writes the records of all files. Of several reasons why an address has opted out, that of the export counts.
func (w *writer) all(ctx context.Context) error {
	for _, path := range w.options.Files {
		if err := w.options.Format.each(ctx, path, w.record); err != nil {
			return err
		}
	}
	for _, path := range w.options.OptedOut {
		format, err := optOutFormat(ctx, path)
		if err != nil {
			return err
		}
		if err := format.each(ctx, path, func(r record, p *problem) error { return w.optedOutRecord(format.judge(r), path, p) }); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) optedOutRecord(v verdict, path string, p *problem) error {
	if p != nil {
		return p
	}
	if address, err := recipients.Normalise(v.address); err == nil {
		w.optOut(address, "in "+filepath.Base(path))
	}
	return w.optOuts.err()
}

func (w *writer) record(r record, p *problem) error {
	w.seen()
	if p != nil {
		return p // the file is not what it was in the first pass
	}
	w.summary.Read++
	v := w.options.Format.judge(r)
	address, err := recipients.Normalise(v.address)
	switch {
	case v.otherChannel != "":
		w.summary.OtherChannel.add(v.otherChannel, r, v.address)
	case v.address == "":
		w.summary.Invalid.add("no address", r, "")
	case err != nil:
		w.summary.Invalid.add(err.Error(), r, v.address)
	case v.optedOut != "":
		w.summary.OptedOut.add(v.optedOut, r, v.address)
		w.optOut(address, v.optedOut)
	case w.optedOut.has(address):
		w.summary.OptedOut.add("opted out elsewhere in these files", r, v.address)
	case v.inactive != "":
		w.summary.Inactive.add(v.inactive, r, v.address)
	default:
		return w.recipient(r, v, address)
	}
	return nil
}

func (w *writer) recipient(r record, v verdict, address string) error {
	row := make([]string, len(w.columns))
	for i, column := range w.columns {
		if row[i] = r.text(column.From); strings.ContainsRune(row[i], 0) {
			w.summary.Invalid.add(fmt.Sprintf("NUL byte in %s", column.From), r, v.address)
			return nil
		}
	}
	if !w.written.add(address) {
		w.summary.Duplicates.add("the earlier one counts", r, v.address)
		return nil
	}
	row[0] = strings.TrimSpace(v.address)
	w.summary.Written++
	w.list.row(row)
	return w.list.err()
}

func (w *writer) optOut(address, reason string) {
	if w.listed.add(address) {
		w.summary.Listed++
		w.optOuts.row([]string{address, reason})
	}
}

// output is a CSV file that has another name until it is whole.
type output struct {
	path string
	file *os.File
	csv  *csv.Writer
}

func create(folder, name string, header ...string) (*output, error) {
	file, err := os.CreateTemp(folder, "."+name+".*")
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", filepath.Join(folder, name), err)
	}
	o := &output{filepath.Join(folder, name), file, csv.NewWriter(file)}
	o.row(header)
	return o, nil
}

func (o *output) row(fields []string) { _ = o.csv.Write(fields) } // err has it

func (o *output) err() error { return o.csv.Error() }

func (o *output) finish() error {
	o.csv.Flush()
	if err := errors.Join(o.csv.Error(), o.file.Chmod(0o644), o.file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", o.path, err)
	}
	return nil
}

// keep gives the file its name.
func (o *output) keep() error { return os.Rename(o.file.Name(), o.path) }

// discard removes what keep did not give its name.
func (o *output) discard() {
	_ = o.file.Close()
	_ = os.Remove(o.file.Name())
}
