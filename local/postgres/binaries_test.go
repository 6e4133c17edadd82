package postgres

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPathVersionIsTheFirstNumber(t *testing.T) {
	for path, want := range map[string]int{
		"/usr/lib/postgresql/15/bin":                              15,
		"/usr/pgsql-16/bin":                                       16,
		"/opt/homebrew/opt/postgresql@17/bin":                     17,
		"/Applications/Postgres.app/Contents/Versions/latest/bin": 0,
		"/Applications/Postgres.app/Contents/Versions/18/bin":     18,
	} {
		if got := pathVersion(path); got != want {
			t.Errorf("pathVersion(%s) = %d, want %d", path, got, want)
		}
	}
}

func TestMajorVersionIsAskedOfTheBinary(t *testing.T) {
	for output, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": 15,
		"postgres (PostgreSQL) 18beta1":                        18,
		"nothing of the sort":                                  0,
	} {
		directory := t.TempDir()
		script := "#!/bin/sh\necho '" + output + "'\n"
		if err := os.WriteFile(filepath.Join(directory, "postgres"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		got, err := majorVersion(t.Context(), directory)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("majorVersion of %q = %d, %v, want %d", output, got, err, want)
		}
	}
}

func TestIncompleteInstallationIsPassedOver(t *testing.T) {
	directory := t.TempDir()
	// Debian's client package has initdb's neighbours, but no server.
	if err := os.WriteFile(filepath.Join(directory, "initdb"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", directory)
	for _, candidate := range candidates() {
		if candidate == directory {
			t.Error("a directory without postgres was taken for an installation")
		}
	}
}

func TestTheStatementCounterIsFoundBesideTheBinaries(t *testing.T) {
	for _, directory := range []string{"lib", "lib/postgresql", "lib64/pgsql"} {
		root := t.TempDir()
		binaries := filepath.Join(root, "bin")
		if err := os.MkdirAll(filepath.Join(root, directory), 0o755); err != nil {
			t.Fatal(err)
		}
		if hasStatementCounter(binaries) {
			t.Errorf("%s: found where there is none", directory)
		}
		if err := os.WriteFile(filepath.Join(root, directory, "pg_stat_statements.so"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if !hasStatementCounter(binaries) {
			t.Errorf("%s: not found", directory)
		}
	}
}
