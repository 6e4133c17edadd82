package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// result is what a command line gave.
type result struct {
	code           int
	stdout, stderr string
}

// fanmail runs a command line with nothing in the environment but env, and without the developer's own named
// deployments.
func fanmail(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	return fanmailContext(t.Context(), env, args...)
}

func fanmailContext(ctx context.Context, env map[string]string, args ...string) result {
	var stdout, stderr strings.Builder
	getenv := func(name string) string {
		if name == "FANMAIL_CONFIG_FILE" {
			return cmp.Or(env[name], "/nonexistent/config.yaml")
		}
		return env[name]
	}
	code := run(ctx, args, getenv, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// good is a campaign folder without problems.
func good() map[string]string {
	return map[string]string{
		"campaign.yaml":  "from: Shop <news@example.com>\nreplyTo: hello@example.com\nsubject: \"Hello {{.name}}\"\nhtml: mail.html\ntext: mail.txt\n",
		"mail.html":      "<p>Dear {{.name}},\n<a href=\"https://example.com/?c={{.code}}\">go</a></p>\n",
		"mail.txt":       "Dear {{.name}},\nyour code is {{.code}}.\n",
		"recipients.csv": "email,name,code\nann@example.com,Ann,A1\nbob@example.com,Bob & Co,B2\n",
	}
}

// write makes a campaign folder of the files of good with some of them replaced; an empty content takes a file away.
func write(t *testing.T, replaced map[string]string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "spring-sale")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	files := good()
	for name, content := range replaced {
		files[name] = content
	}
	for name, content := range files {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// wantLines compares stderr with the lines that should be there, each beginning with "fanmail: ".
func wantLines(t *testing.T, stderr string, want ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	if len(got) != len(want) {
		t.Errorf("stderr has %d lines, want %d:\n%s", len(got), len(want), stderr)
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], "fanmail: "+want[i]) {
			t.Errorf("line %d of stderr:\ngot  %s\nwant fanmail: %s", i+1, got[i], want[i])
		}
	}
}
