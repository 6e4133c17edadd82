package template_test

import (
	"testing"

	"fanmail/shared/template"

	"github.com/google/go-cmp/cmp"
)

func TestSyntaxProblemsSayTheLikelyMend(t *testing.T) {
	for html, want := range map[string]string{
		"Dear {{.name} and":        "bad character U+007D '}'; an action ends with }}",
		"Dear {{.name":             "unclosed action; an action ends with }}",
		"{{.name }":                "unexpected \"}\" in operand; an action ends with }}",
		"{{.First Name}}":          "unknown function Name; for a column with a space or sign in its name write {{index . \"First Name\"}}",
		"{{ .First Name | upper}}": "unknown function Name; for a column with a space or sign in its name write {{index . \"First Name\"}}",
		"{{.고객 이름}}":               "unknown function 이름; for a column with a space or sign in its name write {{index . \"고객 이름\"}}",
		"{{.E-Mail}}":              "bad character U+002D '-'; for a column with a space or sign in its name write {{index . \"E-Mail\"}}",
		"{{name}}":                 "unknown function name; a field begins with a dot: {{.name}}",
		"{{.name | uper}}":         "unknown function uper; did you mean upper?",
		"{{.name | greet}}":        "unknown function greet",
	} {
		_, problems := template.Compile(template.Sources{Subject: "s", HTML: html, HTMLName: "m"}, columns, nil)
		if diff := cmp.Diff([]template.Problem{{Name: "m", Line: 1, Message: want}}, problems); diff != "" {
			t.Errorf("%s: %s", html, diff)
		}
	}
}

func TestDidYouMeanOnlySuggestsWhatIsNear(t *testing.T) {
	for word, want := range map[string]string{
		"nmae": "name", "Name": "name", "nam": "name", "subjekt": "subject", "subjcet": "subject", "sbujcet": "subject",
		"rat": "rate", "first": "", "date": "rate", "mane": "", "x": "", "to": "", "topic": "", "titel": "", "이르": "", "": "",
	} {
		got := template.DidYouMean(word, []string{"name", "subject", "rate", "이름", "at"})
		if want != "" {
			want = "; did you mean " + want + "?"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestWithoutColumnsOnlyTheSyntaxIsChecked(t *testing.T) {
	sources := template.Sources{Subject: "{{.a}}", HTML: "{{.b}}\n{{if}}", HTMLName: "m.html", Text: "{{.c", TextName: "m.txt"}
	set, problems := template.Compile(sources, nil, nil)
	want := []template.Problem{
		{Name: "m.html", Line: 2, Message: "missing value for if"}, {Name: "m.txt", Line: 1, Message: "unclosed action; an action ends with }}"},
	}
	if diff := cmp.Diff(want, problems); diff != "" || set != nil {
		t.Error(set, diff)
	}
}

func TestExpectedFieldsAreThoseThatNobodyThoughtOfAsEmpty(t *testing.T) {
	for html, want := range map[string][]string{
		"plain":                     nil,
		"{{.name}} {{upper .city}}": {"city", "name"},
		"{{.fallback}} {{.empty}}":  {"empty"},
		"{{if .points}}{{.points}}{{end}}{{.city}}":                  {"city"},
		"{{with .points}}{{.}} {{$.city}}{{end}}":                    {"city"},
		"{{if .name}}{{.city}}{{else if .points}}{{.points}}{{end}}": {"city"},
		"{{.name | default \"x\"}}{{default \"y\" .city}}":           nil,
		"{{if gt (len .name) 3}}{{.name}}{{end}}":                    nil,
		"{{define \"x\"}}{{.city}}{{end}}{{template \"x\" .}}":       {"city"},
		"{{range $k, $v := .}}{{$v}}{{end}}":                         nil,
	} {
		set, problems := template.Compile(template.Sources{Subject: "s", HTML: html, HTMLName: "m"}, columns, map[string]string{"fallback": "x", "empty": ""})
		if problems != nil {
			t.Fatal(html, problems)
		}
		if diff := cmp.Diff(want, set.Expected()); diff != "" {
			t.Errorf("%s: %s", html, diff)
		}
	}
	// A condition in one part does not help another.
	set, _ := template.Compile(template.Sources{Subject: "{{.name}}", Text: "{{if .name}}{{.name}}{{end}}"}, columns, nil)
	if diff := cmp.Diff([]string{"name"}, set.Expected()); diff != "" {
		t.Error(diff)
	}
}
