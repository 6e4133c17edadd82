package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
)

// openDirectory is one that the user who runs PostgreSQL for root can reach, which is not so for t.TempDir.
func openDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "fanmail-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(directory); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestAServerWaitsForTheEndOfItsPredecessorAndKeepsWhatWasCommitted(t *testing.T) {
	directory := openDirectory(t)
	r := &Runtime{options: Options{Directory: directory}.withDefaults(), directory: directory}
	before, err := r.startPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer before.Stop()
	conn, err := pgx.Connect(t.Context(), before.URL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "create table sent (seq int)"); err != nil {
		t.Fatal(err)
	}
	type start struct {
		*postgres.Server
		err error
	}
	started := make(chan start, 1)
	go func() {
		after, err := r.startPostgres(t.Context())
		started <- start{after, err}
	}()
	await(t, func() bool {
		log, err := os.ReadFile(filepath.Join(directory, "postgres", "postgres.log"))
		return err == nil && strings.Contains(string(log), `lock file "postmaster.pid" already exists`)
	})
	if _, err := conn.Exec(t.Context(), "insert into sent values (1)"); err != nil {
		t.Fatal(err)
	}
	// As the watchdog does when a runtime was killed. Nothing that was committed is flushed then.
	if err := before.Kill(); err != nil {
		t.Fatal(err)
	}
	after := <-started
	if after.err != nil {
		t.Fatal(after.err)
	}
	defer after.Stop()
	again, err := pgx.Connect(t.Context(), after.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close(t.Context())
	var n int
	if err := again.QueryRow(t.Context(), "select count(*) from sent").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, want 1: %v", n, err)
	}
}
