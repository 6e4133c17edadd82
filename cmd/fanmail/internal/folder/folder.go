// Package folder reads a campaign folder as the verbs check, preview and start need it. Prepare checks the same things
// again in AWS, with the same packages, and is what counts; here the user learns them before anything is uploaded.
package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fanmail/shared/campaign"
)

// Folder is a campaign folder. Name is the campaign's: the last part of the path.
type Folder struct {
	Name string
	FS   fs.FS
}

// Open finds a folder on the disk.
func Open(path string) (Folder, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Folder{}, fmt.Errorf("%s: no such folder", path)
	}
	if err != nil {
		return Folder{}, err
	}
	if !info.IsDir() {
		return Folder{}, fmt.Errorf("%s is a file: a campaign is a folder with a campaign.yaml in it", path)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Folder{}, err
	}
	return Folder{Name: filepath.Base(absolute), FS: os.DirFS(path)}, nil
}

// Content is campaign.yaml with its templates and attachments. Problems are an error with a line each.
func Content(f Folder) (*campaign.Content, error) { return campaign.Read(f.FS, f.Name) }
