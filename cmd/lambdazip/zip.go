package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"time"
)

// epoch is the oldest time that a zip can hold. Every entry carries it: the time of the build would change the checksum,
// and by the checksum the deployment decides whether a function gets a new version.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// write packs the file executable into a new file archive, through a file beside it, so that an interrupted build never
// leaves half a zip under the final name.
func write(archive, executable string) error {
	code, err := os.ReadFile(executable)
	if err != nil {
		return fmt.Errorf("reading the executable: %w", err)
	}
	var packed bytes.Buffer
	if err := pack(&packed, code); err != nil {
		return fmt.Errorf("packing %s: %w", executable, err)
	}
	half := archive + ".part"
	if err := os.WriteFile(half, packed.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the zip: %w", err)
	}
	if err := os.Rename(half, archive); err != nil {
		return fmt.Errorf("writing the zip: %w", err)
	}
	return nil
}

// pack writes a zip with one entry, bootstrap, which everyone may execute: Lambda runs it as a user of its own.
func pack(w io.Writer, code []byte) error {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: epoch}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := entry.Write(code); err != nil {
		return err
	}
	return archive.Close()
}
