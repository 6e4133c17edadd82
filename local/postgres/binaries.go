package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// oldestVersion is the first major version with idle_session_timeout, which Fanmail's role needs.
const oldestVersion = 14

// installed are the places of PostgreSQL's binaries beside PATH: Debian and Ubuntu, Red Hat (PGDG and its own), Homebrew
// on ARM and on Intel, Postgres.app.
var installed = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries returns the directory of initdb and postgres: of PATH, else of the newest installed version, else
// of the copy in the cache directory, which is downloaded if it is not there yet.
func findBinaries(ctx context.Context, logger *slog.Logger) (string, error) {
	for _, directory := range candidates() {
		if major, err := majorVersion(ctx, directory); err != nil {
			logger.Debug("skipping PostgreSQL binaries", "directory", directory, "error", err)
		} else if major < oldestVersion {
			logger.Info("skipping PostgreSQL binaries, too old", "directory", directory, "version", major, "needed", oldestVersion)
		} else {
			return directory, nil
		}
	}
	cache, err := cacheDirectory()
	if err != nil {
		return "", err
	}
	binaries, err := download{cache: cache, logger: logger}.binaries(ctx)
	if err != nil {
		return "", fmt.Errorf("no PostgreSQL %d or newer on this machine (looked in PATH, /usr/lib/postgresql, Homebrew), and none could be downloaded: %w; "+
			"install PostgreSQL, or set DATABASE_URL to a running one", oldestVersion, err)
	}
	return binaries, nil
}

// candidates are the directories that hold both binaries, best first.
func candidates() []string {
	var found []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// A link in /usr/local/bin leads to the directory where initdb looks for its neighbours.
		if target, err := filepath.EvalSymlinks(initdb); err == nil {
			found = append(found, filepath.Dir(target))
		}
	}
	var others []string
	for _, pattern := range installed {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		others = append(others, matches...)
	}
	slices.SortStableFunc(others, func(a, b string) int { return cmp.Compare(pathVersion(b), pathVersion(a)) })
	return slices.DeleteFunc(append(found, others...), func(directory string) bool { return !complete(directory) })
}

func complete(directory string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(directory, program)); err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`\d+`)

// pathVersion is the first number in a path like /usr/lib/postgresql/15/bin, 0 if there is none.
func pathVersion(directory string) int {
	version, _ := strconv.Atoi(digits.FindString(directory))
	return version
}

// majorVersion asks the binary: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
func majorVersion(ctx context.Context, directory string) (int, error) {
	program := filepath.Join(directory, "postgres")
	output, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("running %s --version: %w", program, err)
	}
	major, err := strconv.Atoi(digits.FindString(string(output)))
	if err != nil {
		return 0, fmt.Errorf("%s --version says %q, which has no version number", program, output)
	}
	return major, nil
}

// statementCounter is the library that counts statements. It belongs to PostgreSQL, but some packages leave it out.
const statementCounter = "pg_stat_statements"

// hasStatementCounter looks where libraries are, as seen from the binaries: Debian, PGDG and Postgres.app; Homebrew and
// the embedded archive. A server that is told to preload a library that is not there does not start.
func hasStatementCounter(binaries string) bool {
	for _, pattern := range []string{"../lib/", "../lib/postgresql/", "../lib64/pgsql/"} {
		if found, _ := filepath.Glob(filepath.Join(binaries, pattern, statementCounter+".*")); len(found) > 0 {
			return true
		}
	}
	return false
}
