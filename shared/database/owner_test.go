package database_test

import (
	"os"
	"syscall"
	"testing"
)

// own gives files to the owner of the data directory: PostgreSQL refuses a key of somebody else.
func own(t *testing.T, like os.FileInfo, files ...string) {
	t.Helper()
	owner := like.Sys().(*syscall.Stat_t)
	for _, file := range files {
		if err := os.Chown(file, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}
