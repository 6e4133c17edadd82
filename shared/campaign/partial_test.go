package campaign_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"fanmail/shared/campaign"
	"fanmail/shared/recipients"
)

func TestProblemsOfCampaignYAMLDoNotHideThoseOfTheTemplates(t *testing.T) {
	const text = "Dear {{.nmae}}"
	for name, test := range map[string]struct {
		yaml    string
		columns []string
		want    string
	}{
		"another key":         {"from: x\n", []string{"email", "name"}, "campaign.yaml:4: subject: unknown field a1: neither a column of the recipients' file nor a default\nmail.txt:1: unknown field nmae: neither a column of the recipients' file nor a default; did you mean name?"},
		"columns not known":   {"from: x\n", nil, ""},
		"no email column":     {"from: x\n", []string{"nmae", "a1"}, ""},
		"the defaults":        {"from: x\ndefaults: [a]\n", []string{"email", "name"}, ""},
		"the other template":  {"from: x\nhtml: none.html\n", []string{"email", "nmae", "a1"}, ""},
		"a template's syntax": {"from: x\nhtml: broken.html\n", nil, "broken.html:2: unexpected EOF"},
	} {
		files := fstest.MapFS{
			"campaign.yaml": {Data: []byte("\n\ntext: mail.txt\nsubject: \"{{.a1}} {{.email}}\"\n" + test.yaml)},
			"mail.txt":      {Data: []byte(text)}, "broken.html": {Data: []byte("\n{{if .x}}")},
		}
		content, err := campaign.Read(files, "a")
		if content == nil || err == nil {
			t.Fatalf("%s: %v, %v", name, content, err)
		}
		if _, problems := content.Compile(test.columns); problems.Error() != test.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, problems, test.want)
		}
	}
}

func TestWhatAProblemSpoilsIsNotReportedTwice(t *testing.T) {
	for _, yaml := range []string{
		"from: a@b.example\n", "subject: \"a\\nb\"\nfrom: a@b.example\ntext: mail.txt\n", good + "html: latin1.txt\n", "from: a@b.example\nsubject: s\ntext: empty.txt\n",
		good + "recipients: ../x.csv\n",
	} {
		content, err := campaign.Read(folder(yaml), "spring-sale")
		if err == nil {
			t.Fatal(yaml)
		}
		if set, problems := content.Compile([]string{"email", "name"}); len(problems) > 0 {
			t.Errorf("%s: %v, %v", yaml, set, problems)
		}
	}
	for _, yaml := range []string{"", "a: [", "- a\n"} {
		if content, err := campaign.Read(folder(yaml), "spring-sale"); content != nil || err == nil {
			t.Errorf("%q: %v, %v", yaml, content, err)
		}
	}
}

func TestJoin(t *testing.T) {
	problems := func(file string, line int) campaign.Problems {
		return campaign.Problems{{File: file, Line: line, Message: "m"}}
	}
	err := campaign.Join(problems("mail.txt", 2), nil, problems("campaign.yaml", 3), &recipients.Error{File: "list.csv", Line: 1, Message: "m"}, campaign.Problems(nil))
	if err == nil || err.Error() != "campaign.yaml:3: m\nlist.csv:1: m\nmail.txt:2: m" {
		t.Error(err)
	}
	if err := campaign.Join(nil, campaign.Problems(nil)); err != nil {
		t.Error(err)
	}
	if err := campaign.Join(problems("mail.txt", 2), io.ErrUnexpectedEOF); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}

func TestYAMLProblemsSayTheLikelyMend(t *testing.T) {
	for line, want := range map[string]string{
		"subject: {{.name}}":                       "must stand in quotes",
		"subject: {{.name}}, your {{.thing}}":      "not YAML: did not find expected key; a value that begins with {{ must stand in quotes",
		"subject: {{.name}}: hello":                "; a value that begins with {{ must stand in quotes",
		"replyTo:\n  - {{.name}} x":                "; a value that begins with {{ must stand in quotes",
		"defaults: {a: b}\nsubject: Spring: hello": "not YAML: mapping values are not allowed in this context; a value with \": \" in it must stand in quotes",
		"from: \"Spring Shop\" <a@b.example>":      "; a value that begins with a quote must end with it: put single quotes around all of it",
		"subject: [a]":                             "must be a text, not a list",
		"subject: {a: b}":                          "must be a text, not a mapping",
	} {
		for before := range 2 {
			source := strings.Repeat("text: mail.txt\n", before) + line + "\nrate: 5\n"
			_, err := campaign.Read(fstest.MapFS{"campaign.yaml": {Data: []byte(source)}, "mail.txt": {Data: []byte("x")}}, "a")
			var problems campaign.Problems
			if !errors.As(err, &problems) {
				t.Fatal(err)
			}
			found := false
			for _, p := range problems {
				found = found || strings.HasSuffix(p.Message, want) && p.Line == before+1+strings.Count(line, "\n")
			}
			if !found {
				t.Errorf("%s: got\n%v\nwant %q on line %d", source, err, want, before+1)
			}
		}
	}
}
