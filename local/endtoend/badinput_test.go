package endtoend

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fanmail/local"
	"fanmail/shared/workflow"
)

func TestAFunctionThatIsConfiguredWronglySaysHow(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{FunctionEnvironment: map[string]string{"FANMAIL_GRACE": "long"}})
	d.upload("spring", list(3))
	name, message := d.fail(d.start("spring"))
	if name != workflow.InvalidConfiguration || !strings.Contains(message, `FANMAIL_GRACE is "long": set it to 1s to 24h`) {
		t.Errorf("%s: %s", name, message)
	}
}

func TestBadInputFailsWithOneClearLine(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	good := list(3)
	yaml := func(old, replacement string) folder {
		if !strings.Contains(plainYAML, old) {
			t.Fatalf("campaign.yaml has no %q", old)
		}
		return good.with("campaign.yaml", strings.Replace(plainYAML, old, replacement, 1))
	}
	rows := func(content string) folder { return good.with("recipients.csv", content) }
	without := func(name string) folder {
		f := good.with(name, "")
		delete(f, name)
		return f
	}
	for i, test := range []struct {
		name   string
		folder folder
		// want are what the message must name.
		want []string
	}{
		{"no such folder", folder{}, []string{"campaign.yaml"}},
		{"no recipients file", without("recipients.csv"), []string{"recipients.csv: no such file"}},
		{"no template", without("mail.txt"), []string{"campaign.yaml:3: text: no file mail.txt"}},
		{"empty campaign.yaml", good.with("campaign.yaml", ""), []string{"campaign.yaml: the file is empty"}},
		{"broken YAML", yaml("subject: Hello", "subject: [Hello"), []string{"campaign.yaml:", "not YAML"}},
		{"a quote in YAML that is not closed", yaml("subject: Hello", "subject: \"Hello"), []string{"campaign.yaml:", "not YAML"}},
		{"a tab in YAML", yaml("subject:", "\tsubject:"), []string{"campaign.yaml:2: not YAML"}},
		{"unknown field", yaml("text:", "txt: a\ntext:"), []string{"campaign.yaml:3: txt: unknown field"}},
		{"wrong type", yaml("text:", "rate: fast\ntext:"), []string{"campaign.yaml:3: rate: "}},
		{"another campaign's name", yaml("text:", "name: other\ntext:"), []string{"campaign.yaml:3: name: "}},
		{"bad sender", yaml("<shop@example.com>", "<shop at example.com>"), []string{"campaign.yaml:1: from: "}},
		{"line break in from", yaml("Shop <shop@example.com>", `"Shop\r\nBcc: victim@example.com <shop@example.com>"`), []string{"campaign.yaml:1: from: ", "line break"}},
		{"line break in replyTo", yaml("text:", "replyTo: \"a@example.com\\nBcc: victim@example.com\"\ntext:"), []string{"campaign.yaml:3: replyTo: ", "line break"}},
		{"line break in the subject", yaml("Hello {{.name}}", `"Hello\nBcc: victim@example.com"`), []string{"campaign.yaml:2: subject: ", "line break"}},
		{"line break made by the subject", yaml("Hello {{.name}}", `'Hello {{"\r\nBcc: victim@example.com"}}'`), []string{"campaign.yaml:2: subject: ", "single line"}},
		{"subject that does not parse", yaml("{{.name}}", "{{.name"), []string{"campaign.yaml:2: subject: "}},
		{"template that does not parse", good.with("mail.txt", "Hello\n{{if .name}}\n"), []string{"mail.txt:3: "}},
		{"template with an unknown field", good.with("mail.txt", "Hello\n{{.nmae}}\n"), []string{"mail.txt:2: ", "nmae", "name"}},
		{"subject with an unknown field", yaml("{{.name}}", "{{.surname}}"), []string{"campaign.yaml:2: subject: ", "surname"}},
		{"missing email column", rows("mail,name\na@example.com,A\n"), []string{"recipients.csv:1: no column \"email\""}},
		{"no header", rows(""), []string{"recipients.csv: the file is empty"}},
		{"two columns of one name", rows("email,name,name\na@example.com,A,B\n"), []string{"recipients.csv:1: two columns have the name \"name\""}},
		{"empty list", rows("email,name\n"), []string{"recipients.csv: has no recipients"}},
		{"NUL in the header", rows("email,na\x00me\na@example.com,A\n"), []string{"recipients.csv:1: ", "NUL"}},
		{"UTF-16", rows("\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00"), []string{"recipients.csv: the file is UTF-16"}},
		{"an Excel workbook", rows("PK\x03\x04"), []string{"recipients.csv: the file is an Excel workbook"}},
		{"NUL bytes in every row", rows("email,name\na@example.com,A\x00\nb@example.com,\x00\n"), []string{"recipients.csv: has no good address: 2 NUL byte", "rejects.csv"}},
		{"rows of the wrong length", rows("email,name\na@example.com\nb@example.com,B,C\n"), []string{"recipients.csv: has no good address: 2 wrong number of columns", "rejects.csv"}},
		{"line break in a value of the subject", rows("email,name\na@example.com,\"A\nBcc: victim@example.com\"\n"), []string{"recipients.csv: has no good address: 1 line break in header field", "rejects.csv"}},
		{"a quote that is never closed", rows("email,name\na@example.com,\"A\n" + strings.Repeat("x,y\n", 300_000)), []string{"recipients.csv:2: ", "quote"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			campaign := fmt.Sprintf("bad-%d", i)
			d := d.of(t)
			d.upload(campaign, test.folder)
			name, message := d.fail(d.start(campaign))
			t.Logf("%s: %s", name, message)
			if name != "InvalidCampaign" || strings.ContainsAny(message, "\r\n") || !strings.HasPrefix(message, "campaign "+campaign+": ") {
				t.Errorf("%s: %q", name, message)
			}
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("%q does not say %q", message, want)
				}
			}
		})
	}
	if accepted := d.SES().Accepted(); accepted != 0 {
		t.Errorf("%d messages were sent", accepted)
	}
	if n := d.number("select count(*) from fanmail.recipient"); n != 0 {
		t.Errorf("the ledger has %d recipients", n)
	}
}

func TestBadExecutionInputFailsWithOneClearLine(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	d.upload("spring", list(3))
	for _, test := range []struct{ input, want string }{
		{`{}`, "no campaign"},
		{`{"campain":"spring"}`, "unknown fields: campain"},
		{`{"campaign":"spring","rate":5}`, "unknown fields: rate"},
		{`{"campaign":7}`, "no campaign"},
		{`{"campaign":null}`, "no campaign"},
		{`{"campaign":""}`, `""`},
		{`{"campaign":"Spring Sale"}`, `"Spring Sale"`},
		{`{"campaign":"../spring"}`, `"../spring"`},
		{`{"campaign":"` + strings.Repeat("a", 65) + `"}`, "use 1 to 64"},
		{`{"campaign":"spring\nsale"}`, `"spring\nsale"`},
		{`"spring"`, "is a string and no JSON object"},
		{`["spring"]`, "is a list and no JSON object"},
		{`7`, "is a number and no JSON object"},
		{`null`, "no campaign"},
	} {
		name, message := d.fail(d.startWith(test.input))
		t.Logf("%s: %s", name, message)
		if name != "InvalidCampaign" || strings.ContainsAny(message, "\r\n") || !strings.Contains(message, test.want) || !strings.Contains(message, `{"campaign": "spring-sale"}`) {
			t.Errorf("%s: %s: %q", test.input, name, message)
		}
	}
	if accepted := d.SES().Accepted(); accepted != 0 {
		t.Errorf("%d messages were sent", accepted)
	}
}

func TestAListWithoutAGoodAddressIsReportedLineByLine(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	d.upload("spring", list(0).with("recipients.csv", "email,name\nnobody,A\n,B\nc@example.com\nd@,D\ne@example.com,E\x00\n\"f@example.com,F\n"))
	for range 2 { // starting it again does not hide anything
		name, message := d.fail(d.start("spring"))
		t.Log(message)
		if name != "InvalidCampaign" || !strings.Contains(message, "1 no address, 2 not an address, 1 wrong number of columns, 1 misplaced quote, 1 NUL byte; each line is in s3://fanmail-local/reports/spring/rejects.csv") {
			t.Errorf("%s: %s", name, message)
		}
		_, rejects := d.csv("reports/spring/rejects.csv")
		var got []string
		for _, line := range rejects {
			got = append(got, strings.Join(line[:3], "|"))
		}
		want := []string{"2|nobody|not an address", "3||no address", "4|c@example.com|wrong number of columns", "5|d@|not an address", "6|e@example.com|NUL byte", "7|f@example.com|misplaced quote"}
		if !slices.Equal(got, want) {
			t.Errorf("rejects.csv: %q", got)
		}
	}
	// A mended list is mailed.
	d.put("campaigns/spring/recipients.csv", "email,name\ngood@example.com,A\n,B\n")
	r := d.succeed(d.start("spring"))
	if d.auditSent("spring", r, 1); r.Rejected != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAValueCanNotInjectAHeader(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	f := list(0).with("recipients.csv", "email,name\n"+
		"a@example.com,\"A\r\nBcc: victim@example.com\"\n"+
		"b@example.com,\"B\rBcc: victim@example.com\"\n"+
		"c@example.com,C\u2028Bcc: victim@example.com\n"+
		"d@example.com,Bcc: victim@example.com\n")
	d.upload("spring", f)
	r := d.succeed(d.start("spring"))
	d.auditSent("spring", r, 1)
	if r.RejectedByReason["line break in header field"] != 3 || r.Rejected != 3 {
		t.Errorf("%+v", r)
	}
	for _, entry := range d.mailbox() {
		if entry.Subject != "Hello Bcc: victim@example.com" || len(entry.Bcc) > 0 || entry.To[0] != "d@example.com" {
			t.Errorf("%+v", entry)
		}
	}
}
