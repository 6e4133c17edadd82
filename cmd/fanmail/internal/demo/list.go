// Package demo runs one campaign on the local runtime from end to end and holds the result against the mailbox.
package demo

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"fanmail/cmd/fanmail/internal/folder"
)

// maxSamples is how many rows of a folder's own list lend their values to a generated one.
const maxSamples = 1000

// Generate returns the same folder with a list of n recipients instead of its own: addresses counted through, the other
// columns taken in turn from the good rows of its own list. The list is made while it is read, the same at every reading.
func Generate(f folder.Folder, n int64) (folder.Folder, error) {
	list, set, err := folder.OpenCampaign(f)
	if err != nil {
		return folder.Folder{}, err
	}
	generated := &generatedFS{FS: f.FS, name: list.File, columns: list.Columns, n: n}
	err = list.Each(set.HeaderFields(), func(row folder.Row) error {
		if row.Reject != nil {
			return nil
		}
		if _, err := set.Render(row.Recipient.Fields); err != nil {
			return nil
		}
		generated.samples = append(generated.samples, row.Recipient.Fields)
		if len(generated.samples) == maxSamples {
			return folder.ErrStop
		}
		return nil
	})
	if err != nil {
		return folder.Folder{}, err
	}
	if len(generated.samples) == 0 {
		return folder.Folder{}, fmt.Errorf("%s: no good row to take values from", list.File)
	}
	return folder.Folder{Name: f.Name, FS: generated}, nil
}

// Address is the address of the i-th recipient of a generated list, from 1.
func Address(i int64) string { return fmt.Sprintf("recipient-%07d@example.com", i) }

// generatedFS is a folder in which one file is made up.
type generatedFS struct {
	fs.FS
	name    string
	columns []string
	samples []map[string]string
	n       int64
}

func (g *generatedFS) Open(name string) (fs.File, error) {
	if name != g.name {
		return g.FS.Open(name)
	}
	file := &generatedFile{list: g}
	file.rows = csv.NewWriter(&file.buffer)
	return file, file.write(g.columns)
}

// generatedFile makes rows as they are read.
type generatedFile struct {
	list   *generatedFS
	made   int64
	buffer bytes.Buffer
	rows   *csv.Writer
}

func (f *generatedFile) Read(b []byte) (int, error) {
	for f.buffer.Len() < len(b) && f.made < f.list.n {
		sample := f.list.samples[f.made%int64(len(f.list.samples))]
		f.made++
		row := make([]string, len(f.list.columns))
		for i, column := range f.list.columns {
			row[i] = sample[column]
			if column == "email" {
				row[i] = Address(f.made)
			}
		}
		if err := f.write(row); err != nil {
			return 0, err
		}
	}
	return f.buffer.Read(b)
}

func (f *generatedFile) write(row []string) error {
	return errors.Join(f.rows.Write(row), flush(f.rows))
}

func flush(w *csv.Writer) error {
	w.Flush()
	return w.Error()
}

func (f *generatedFile) Close() error { return nil }

// Stat tells a size of 0, since nobody knows it before the list is read.
func (f *generatedFile) Stat() (fs.FileInfo, error) { return generatedInfo{f.list.name}, nil }

type generatedInfo struct{ name string }

func (i generatedInfo) Name() string     { return i.name }
func (generatedInfo) Size() int64        { return 0 }
func (generatedInfo) Mode() fs.FileMode  { return 0o444 }
func (generatedInfo) ModTime() time.Time { return time.Time{} }
func (generatedInfo) IsDir() bool        { return false }
func (generatedInfo) Sys() any           { return nil }
