package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRefusalsAreCountedAsTheLogGrows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "postgres.log")
	write := func(text string) {
		t.Helper()
		log, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write("2026-11-23 08:00:00.000 UTC [1] LOG:  starting\n")
	r, err := openRefusals(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for _, step := range []struct {
		text string
		want int
	}{
		{"", 0},
		{"2026-11-23 08:00:01.000 UTC [2] user=mailer FATAL:  sorry, too many clients already\n", 1},
		{"2026-11-23 08:00:01.000 UTC [3] user=visitor FATAL:  sorry, too many clients already\n", 1},
		{"2026-11-23 08:00:01.000 UTC [4] user=mailer FATAL:  remaining connection slots are res", 1},
		{"erved for non-replication superuser connections\n", 2},
		{"2026-11-23 08:00:01.000 UTC [5] user=fanmail FATAL:  too many connections for role \"fanmail\"\n", 3},
		{"2026-11-23 08:00:01.000 UTC [6] user=mailer FATAL:  password authentication failed for user \"mailer\"\n", 3},
		{"2026-11-23 08:00:01.000 UTC [7] user=mailer STATEMENT:  select 'sorry, too many clients already'\n", 3},
	} {
		write(step.text)
		if got, err := r.count(); got != step.want || err != nil {
			t.Errorf("after %q: %d, %v, want %d", step.text, got, err, step.want)
		}
	}
	want := map[string]int{"sorry, too many clients already": 1, "remaining connection slots are reserved": 1, "too many connections for role": 1}
	if diff := cmp.Diff(want, r.said); diff != "" {
		t.Error(diff)
	}
}
