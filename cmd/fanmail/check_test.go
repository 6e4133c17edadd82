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
	want := `campaign        spring-sale
from            "Shop" <news@example.com>
reply to        hello@example.com
rate            the account's
daily limit     none but the account's
window          always open
list            recipients.csv, UTF-8, ",", 3 columns
recipients      2
rejected lines  0
`
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
			[]string{"recipients.csv:1: no column \"email\": rename column \"mail\" to \"email\""}},
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
	if got.code != exitInterrupted || got.stderr != "fanmail: interrupted\n" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}

func TestCheckSaysWhatItUnderstood(t *testing.T) {
	got := fanmail(t, nil, "check", write(t, map[string]string{
		"campaign.yaml": `from: "봄 가게 <news@shop.example.com>"
replyTo: hello@shop.example.com
subject: Hello
text: mail.txt
rate: 12.5
dailyLimit: 20000
window: {from: "22:00", to: "06:00", days: [mon, fri], zone: Asia/Seoul}
attachments: [mail.html]
`,
		"mail.txt":       "Dear {{.name}}, {{.code}}{{if .city}} in {{.city}}{{end}}",
		"recipients.csv": "email;name;code;city\nann@example.com;;A1;\nbob@example.com; ;;\ncy@example.com;Cy;C1;\n",
	}))
	if got.code != exitOK || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	for _, want := range []string{
		"from            봄 가게 <news@shop.example.com>", "reply to        hello@shop.example.com", "rate            12.5 recipients per second",
		"daily limit     20,000 recipients per 24 hours", "window          22:00 to 06:00 of the next day, mon, fri, Asia/Seoul",
		"attachment      mail.html, ", `recipients.csv, UTF-8, ";", 4 columns`,
		"empty           the templates print these columns, which have no default\n  code          1  first: line 3", "\n  name          2  first: line 2",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, got.stdout)
		}
	}
	if strings.Contains(got.stdout, "  city") {
		t.Errorf("city is printed only where it is not empty:\n%s", got.stdout)
	}
}

func TestCheckReportsTheProblemsOfAllFilesTogether(t *testing.T) {
	for name, c := range map[string]struct {
		list string
		want []string
	}{
		"the header": {"E-Mail,name,code\nann@example.com,Ann,A1\n", []string{"recipients.csv:1: no column \"email\": rename column \"E-Mail\" to \"email\""}},
		"the rows":   {"email,name,code\nann,Ann,A1\n", []string{"recipients.csv: no good address: all 1 rows are rejected (not an address: 1; the first is line 2)"}},
		"the encoding": {"email,name,code\nann@example.com,Ren\xe9,A1\n",
			[]string{"recipients.csv: neither UTF-8 nor CP949 (first at line 2, column \"name\"): save it as CSV UTF-8"}},
	} {
		got := fanmail(t, nil, "check", "--json", write(t, map[string]string{
			"campaign.yaml": "from: nobody\nsubject: \"{{.nmae}}\"\ntext: mail.txt\n", "mail.txt": "Dear\n{{.cod}}", "recipients.csv": c.list,
		}))
		var r folder.Result
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, p := range r.Problems {
			files = append(files, p.File)
		}
		if strings.Join(files, " ") != "campaign.yaml campaign.yaml mail.txt recipients.csv" || got.code != exitFailed {
			t.Errorf("%s: exit code %d, problems in %q", name, got.code, files)
		}
		for _, want := range append(c.want, "campaign.yaml:1: from: ", "campaign.yaml:2: subject: unknown field nmae", "mail.txt:2: unknown field cod") {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("%s: stderr lacks %q:\n%s", name, want, got.stderr)
			}
		}
	}
}
