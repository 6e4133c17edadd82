package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/folder"
)

func TestCheckOfAGoodFolder(t *testing.T) {
	got := fanmail(t, nil, "check", write(t, nil))
	if got.code != 0 || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	want := "campaign        spring-sale\nlist            recipients.csv, UTF-8, 3 columns\nrecipients      2\nrejected lines  0\n"
	if got.stdout != want {
		t.Errorf("stdout:\n%s\nwant:\n%s", got.stdout, want)
	}
}

// The table of bad input: each is one clear line (or more, where more than one thing is wrong) and exit code 1.
func TestCheckNamesEveryProblem(t *testing.T) {
	yaml := good()["campaign.yaml"]
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"no campaign.yaml": {map[string]string{"campaign.yaml": ""}, []string{"campaign.yaml: no campaign.yaml in the folder spring-sale"}},
		"broken YAML":      {map[string]string{"campaign.yaml": "from: [a\nsubject: b\n"}, []string{"campaign.yaml:"}},
		"unknown field": {map[string]string{"campaign.yaml": yaml + "subjct: x\n"},
			[]string{"campaign.yaml:6: subjct: unknown field; did you mean subject?"}},
		"two problems": {map[string]string{"campaign.yaml": yaml + "subjct: x\nrate: fast\n"},
			[]string{"campaign.yaml:6: subjct: ", "campaign.yaml:7: rate: "}},
		"no recipients.csv": {map[string]string{"recipients.csv": ""}, []string{"recipients.csv: no such file in the folder"}},
		"no email column": {map[string]string{"recipients.csv": "mail,name,code\nann@example.com,Ann,A1\n"},
			[]string{"recipients.csv:1: no column email; the columns are mail, name, code"}},
		"template does not parse": {map[string]string{"mail.html": "<p>\n{{if .name}}</p>\n"}, []string{"mail.html:"}},
		"unknown template field": {map[string]string{"mail.txt": "Dear {{.nam}}"},
			[]string{"mail.txt:1: "}},
		"no html file":   {map[string]string{"mail.html": ""}, []string{"campaign.yaml:4: html: no file mail.html in the folder"}},
		"empty file":     {map[string]string{"recipients.csv": "\n"}, []string{"recipients.csv"}},
		"empty list":     {map[string]string{"recipients.csv": "email,name,code\n"}, []string{"recipients.csv: the list is empty: there is no row below the header"}},
		"NUL in header":  {map[string]string{"recipients.csv": "email\x00,name,code\n"}, []string{"recipients.csv:1: the header row has a NUL byte"}},
		"Excel workbook": {map[string]string{"recipients.csv": "PK\x03\x04...."}, []string{"recipients.csv: the file is an Excel workbook"}},
		"NUL bytes": {map[string]string{"recipients.csv": "email,name,code\nann@example.com,A\x00n,A1\n"},
			[]string{"recipients.csv: no good address: all 1 rows are rejected (NUL byte: 1; the first is line 2)"}},
		"wrong row lengths": {map[string]string{"recipients.csv": "email,name,code\na@example.com\nb@example.com,B,1,2\n"},
			[]string{"recipients.csv: no good address: all 2 rows are rejected (wrong number of columns: 2; the first is line 2)"}},
		"all addresses bad": {map[string]string{"recipients.csv": "email,name,code\nann,Ann,1\n,Bob,2\nx@,X,3\n"},
			[]string{"recipients.csv: no good address: all 3 rows are rejected (not an address: 2, no address: 1; the first is line 2)"}},
		"header injection by a row": {map[string]string{"recipients.csv": "email,name,code\nann@example.com,\"Ann\nBcc: eve@example.com\",1\n"},
			[]string{"recipients.csv: no good address: all 1 rows are rejected (line break in header field: 1; the first is line 2)"}},
		"header injection by campaign.yaml": {map[string]string{"campaign.yaml": strings.Replace(yaml, "Hello ", `Hello\r\nBcc: eve@example.com `, 1)},
			[]string{"campaign.yaml:3: subject: "}},
	} {
		t.Run(name, func(t *testing.T) {
			got := fanmail(t, nil, "check", write(t, c.files))
			if got.code != exitFailed {
				t.Errorf("exit code %d", got.code)
			}
			wantLines(t, got.stderr, c.want...)
		})
	}
}

func TestCheckOfWhatIsNoFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nope")
	got := fanmail(t, nil, "check", missing)
	wantLines(t, got.stderr, missing+": no such folder")
	if got.code != exitFailed || got.stdout != "" {
		t.Errorf("exit code %d, stdout %q", got.code, got.stdout)
	}
	file := filepath.Join(write(t, nil), "mail.txt")
	got = fanmail(t, nil, "check", file)
	wantLines(t, got.stderr, file+" is a file: a campaign is a folder")
}

func TestCheckCountsRejectsByReason(t *testing.T) {
	list := "email,name,code\nann@example.com,Ann,1\nANN@example.com,Ann,1\nbad,Bob,2\nworse,Bob,2\ncy@example.com,,3\n"
	got := fanmail(t, nil, "check", "--json", write(t, map[string]string{"recipients.csv": list}))
	if got.code != exitOK || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	var r folder.Result
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Recipients != 2 || r.Rejected != 3 || len(r.Rejects) != 2 {
		t.Fatalf("got %+v", r)
	}
	if bad := r.Rejects[0]; bad.Reason != "not an address" || bad.Count != 2 || bad.Line != 4 || bad.Email != "bad" {
		t.Errorf("got %+v", bad)
	}
	if double := r.Rejects[1]; double.Reason != "duplicate" || double.Count != 1 || double.Line != 3 {
		t.Errorf("got %+v", double)
	}
}

func TestCheckWarnsOfRowsThatDoNotRender(t *testing.T) {
	got := fanmail(t, nil, "check", write(t, map[string]string{
		"recipients.csv": "email,name,code\nann@example.com,Ann,https://example.com\nbob@example.com,Bob,javascript:alert(1)\n",
		"mail.html":      "<a href=\"{{.code}}\">go</a>",
	}))
	if got.code != exitOK || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	for _, want := range []string{"recipients ", "would fail", "rendering the HTML part: ", `first: line 3 "bob@example.com"`} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, got.stdout)
		}
	}
}

func TestCheckStopsWhenInterrupted(t *testing.T) {
	ctx, cancel := cancelled(t)
	defer cancel()
	got := fanmailContext(ctx, nil, "check", write(t, nil))
	wantLines(t, got.stderr, "interrupted")
	if got.code != exitFailed {
		t.Errorf("exit code %d", got.code)
	}
}
