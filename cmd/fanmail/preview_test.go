package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fanmail/cmd/fanmail/internal/folder"
)

func TestPreviewShowsTheFirstGoodRow(t *testing.T) {
	list := "email,name,code\nbad,Bad,0\nbob@EXAMPLE.com,Bob & Co,B2\n"
	got := fanmail(t, nil, "preview", write(t, map[string]string{"recipients.csv": list}))
	want := `Row:       2 (line 3)
From:      "Shop" <news@example.com>
Reply-To:  hello@example.com
To:        bob@example.com
Subject:   Hello Bob & Co

Dear Bob & Co,
your code is B2.
`
	if got.code != exitOK || got.stdout != want || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s\nwant:\n%s", got.code, got.stderr, got.stdout, want)
	}
}

func TestPreviewOfARow(t *testing.T) {
	dir := write(t, map[string]string{"recipients.csv": "email,name,code\nbad,Bad,0\nbob@example.com,Bob,B2\n"})
	for row, want := range map[string]string{
		"1": "recipients.csv:2: row 1 is rejected: not an address: it has no @",
		"3": "recipients.csv: there is no row 3",
	} {
		got := fanmail(t, nil, "preview", dir, "--row", row)
		wantLines(t, got.stderr, want)
		if got.code != exitFailed || got.stdout != "" {
			t.Errorf("row %s: exit code %d, stdout %q", row, got.code, got.stdout)
		}
	}
	var p folder.Preview
	if err := json.Unmarshal([]byte(fanmail(t, nil, "preview", dir, "--row", "2", "--json").stdout), &p); err != nil {
		t.Fatal(err)
	}
	if p.Row != 2 || p.Line != 3 || p.To != "bob@example.com" || p.HTML == "" || p.Text == "" {
		t.Errorf("got %+v", p)
	}
}

func TestPreviewWritesHTML(t *testing.T) {
	dir := write(t, nil)
	html := "<p>Dear Ann,\n<a href=\"https://example.com/?c=A1\">go</a></p>\n"
	if got := fanmail(t, nil, "preview", dir, "--html", "-"); got.stdout != html {
		t.Errorf("stdout %q, stderr %q", got.stdout, got.stderr)
	}
	file := filepath.Join(t.TempDir(), "out.html")
	if got := fanmail(t, nil, "preview", dir, "--html", file); got.code != exitOK {
		t.Errorf("stderr %q", got.stderr)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != html {
		t.Errorf("the file has %q, %v", b, err)
	}
	yaml := "from: news@example.com\nsubject: Hello\ntext: mail.txt\n"
	got := fanmail(t, nil, "preview", write(t, map[string]string{"campaign.yaml": yaml}), "--html", file)
	wantLines(t, got.stderr, "--html: this campaign has no HTML template")
}

func TestPreviewOfAListWithoutAGoodRow(t *testing.T) {
	got := fanmail(t, nil, "preview", write(t, map[string]string{"recipients.csv": "email,name,code\n"}))
	wantLines(t, got.stderr, "recipients.csv: the list is empty")
	got = fanmail(t, nil, "preview", write(t, map[string]string{"recipients.csv": "email,name,code\nx,X,1\n"}))
	wantLines(t, got.stderr, "recipients.csv:2: no good address in the list; the first row is rejected: not an address: it has no @")
	got = fanmail(t, nil, "preview", write(t, map[string]string{"mail.txt": "{{.nope}}"}))
	wantLines(t, got.stderr, "mail.txt:1: ")
}
