package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestZipHoldsOneExecutableNamedBootstrap(t *testing.T) {
	dir := t.TempDir()
	executable, archive := filepath.Join(dir, "send"), filepath.Join(dir, "send.zip")
	code := bytes.Repeat([]byte("code"), 10_000)
	writeFile(t, executable, code)
	if err := write(archive, executable); err != nil {
		t.Fatal(err)
	}

	r, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(r.File) != 1 {
		t.Fatalf("%d entries, want 1", len(r.File))
	}
	entry := r.File[0]
	if entry.Name != "bootstrap" || entry.Mode() != 0o755 {
		t.Errorf("entry %s with mode %v, want bootstrap with mode -rwxr-xr-x", entry.Name, entry.Mode())
	}
	f, err := entry.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, code) {
		t.Errorf("read %d bytes (%v), want the %d bytes of the executable", len(got), err, len(code))
	}
}

func TestSameCodeGivesSameBytes(t *testing.T) {
	dir := t.TempDir()
	executable, archive := filepath.Join(dir, "send"), filepath.Join(dir, "send.zip")
	var first []byte
	for _, built := range []time.Time{time.Unix(1_700_000_000, 0), time.Unix(1_800_000_000, 0)} {
		writeFile(t, executable, []byte("code"))
		if err := os.Chtimes(executable, built, built); err != nil {
			t.Fatal(err)
		}
		if err := write(archive, executable); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		} else if !bytes.Equal(first, got) {
			t.Error("the zip of the same code differs with the time of the build")
		}
	}
}

func TestNoExecutableLeavesNoZip(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "send.zip")
	if err := write(archive, filepath.Join(dir, "missing")); err == nil {
		t.Error("no error for a missing executable")
	}
	if left, _ := filepath.Glob(archive + "*"); len(left) != 0 {
		t.Errorf("left %v behind", left)
	}
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
