package template_test

import (
	"strings"
	"testing"

	"fanmail/shared/template"

	"github.com/google/go-cmp/cmp"
)

var columns = []string{"email", "name", "first name", "city", "이름", "points"}

func TestCompileReportsEveryProblemWithItsLine(t *testing.T) {
	for name, test := range map[string]struct {
		html string
		want []string // "line: part of the message"
	}{
		"unknown field":                    {"<p>\n{{.nmae}}", []string{"2: unknown field nmae", "did you mean name?"}},
		"unknown field far from any":       {"{{.zzzzzzzz}}", []string{"1: unknown field zzzzzzzz: neither a column of the recipients' file nor a default"}},
		"in if":                            {"{{if .vip}}x{{end}}", []string{"1: unknown field vip"}},
		"in else if":                       {"{{if .name}}{{else if .vip}}x{{end}}", []string{"1: unknown field vip"}},
		"in with":                          {"{{with .vip}}x{{end}}", []string{"1: unknown field vip"}},
		"in a branch not taken":            {"{{if false}}\n{{.vip}}{{end}}", []string{"2: unknown field vip"}},
		"in a function":                    {"{{upper .vip}}", []string{"1: unknown field vip"}},
		"piped":                            {"{{.vip | upper}}", []string{"1: unknown field vip"}},
		"in parentheses":                   {"{{upper (lower .vip)}}", []string{"1: unknown field vip"}},
		"through $":                        {"{{$.vip}}", []string{"1: unknown field vip"}},
		"through a variable":               {"{{$all := .}}{{$all.vip}}", []string{"1: unknown field vip"}},
		"through a chain":                  {"{{(.).vip}}", []string{"1: unknown field vip"}},
		"in a definition":                  {"{{define \"x\"}}\n{{.vip}}{{end}}{{template \"x\" .}}", []string{"2: unknown field vip"}},
		"in a definition nobody calls":     {"{{define \"x\"}}{{.vip}}{{end}}", []string{"1: unknown field vip"}},
		"in a block":                       {"{{block \"x\" .}}{{.vip}}{{end}}", []string{"1: unknown field vip"}},
		"by index":                         {"{{index . \"last name\"}}", []string{"1: unknown field last name"}},
		"by index of $":                    {"{{with .name}}{{index $ \"last name\"}}{{end}}", []string{"1: unknown field last name"}},
		"by index, piped":                  {"{{\"last name\" | index .}}", []string{"1: unknown field last name"}},
		"two at once":                      {"{{.a1}}\n{{.b1}}", []string{"1: unknown field a1", "2: unknown field b1"}},
		"wrong case":                       {"{{.Name}}", []string{"did you mean name?"}},
		"inside a conditional comment":     {"<!--[if mso]>\n{{.vip}}<![endif]-->", []string{"2: unknown field vip"}},
		"after one of two lines":           {"<!--[if\nmso]>\n{{.vip}}<![endif]-->", []string{"3: unknown field vip"}},
		"a field inside with":              {"{{with .name}}{{.city}}{{end}}", []string{"1: .city stands where the dot is not the recipient", "$.city"}},
		"a field inside range":             {"{{range 3}}{{.city}}{{end}}", []string{"write $.city"}},
		"a field of a field":               {"{{.name.first}}", []string{"1: name is a text and has no field first"}},
		"a definition without the dot":     {"{{define \"x\"}}{{.name}}{{end}}{{template \"x\"}}", []string{"{{template \"x\" .}}"}},
		"a definition that is not there":   {"{{define \"foot\"}}{{end}}{{template \"fot\" .}}", []string{"1: no template \"fot\"; did you mean foot?"}},
		"a definition that calls itself":   {"{{define \"x\"}}{{template \"x\" .}}{{end}}{{template \"x\" .}}", []string{"1: template \"x\" calls itself"}},
		"two that call each other":         {"{{define \"x\"}}{{template \"y\" .}}{{end}}{{define \"y\"}}{{template \"x\" .}}{{end}}", []string{"calls itself"}},
		"all fields printed":               {"{{.}}", []string{"1: {{.}} prints all fields at once"}},
		"range over a text":                {"{{range .name}}x{{end}}", []string{"there is nothing to range over"}},
		"range without end":                {"{{range 100000000}}x{{end}}", []string{"numbers up to 1000"}},
		"range in range in range":          {"{{range 9}}{{range 9}}{{range 9}}x{{end}}{{end}}{{end}}", []string{"more than 2 loops"}},
		"unknown function":                 {"{{uper .name}}", []string{"1: unknown function uper; did you mean upper?"}},
		"a function of the host":           {"{{env \"HOME\"}}", []string{"1: unknown function env"}},
		"call":                             {"{{call .name}}", []string{"1: function call is not available"}},
		"js":                               {"{{js .name}}", []string{"1: function js is not available"}},
		"js as the end of a pipe":          {"{{.name | js}}", []string{"1: function js is not available"}},
		"not closed":                       {"<p>\n<b>\n{{if .name}}", []string{"3: unexpected EOF"}},
		"an action not closed":             {"{{.name", []string{"1: unclosed action"}},
		"an action not closed in a line":   {"a\n{{.name }", []string{"2: "}},
		"a quote not closed":               {"<a href=\"{{.city}}>x</a>", []string{"0: a quote, tag, comment"}},
		"branches that end differently":    {"{{if .name}}<a href='{{end}}x", []string{"branches end in different contexts"}},
		"too few arguments":                {"{{default .name}}", []string{"1: default: wrong number of args"}},
		"a number where a text should be":  {"{{upper 5}}", []string{"1: 5: expected string"}},
		"a text compared with a number":    {"{{if gt .points 5}}x{{end}}", []string{"1: gt .points 5", "incompatible types"}},
		"that, in a branch for the empty":  {"{{if not .points}}{{if gt .points 5}}x{{end}}{{end}}", []string{"incompatible types"}},
		"printf with a wrong verb":         {"{{printf \"%d\" .points}}", []string{"printf prints %!d(string"}},
		"a conditional comment in a tag":   {"{{define \"c\"}}<!--[if mso]>{{end}}<a title=\"{{template \"c\" .}}\">x</a>", []string{"called inside a tag"}},
		"index of a text":                  {"{{index .name \"x\"}}", []string{"expected map"}},
		"a value in the name of a tag":     {"<{{.name}}>", []string{""}},
		"an unquoted attribute after that": {"<a href={{.city}}{{.name}} {{.points}}=x>", []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			set, problems := template.Compile(template.Sources{Subject: "s", HTML: test.html, HTMLName: "mail.html"}, columns, nil)
			if strings.Join(test.want, "") == "" {
				return // only that it does not panic
			}
			if set != nil || len(problems) == 0 {
				t.Fatal("compiled")
			}
			got := ""
			for _, p := range problems {
				if p.Name != "mail.html" {
					t.Errorf("problem in %q", p.Name)
				}
				got += strings.ReplaceAll(string(rune('0'+p.Line))+": "+p.Message, "\n", "\\n") + "\n"
			}
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%swant %q", got, want)
				}
			}
		})
	}
}

func TestCompileAcceptsWhatIsGood(t *testing.T) {
	for _, html := range []string{
		"{{.이름}} {{index . \"first name\"}} {{.fallback}}",
		"{{with .name}}{{.}} of {{$.city}}{{end}}",
		"{{with $x := .name}}{{$x}}{{.}}{{end}}",
		"{{range $k, $v := .}}{{$k}}={{$v}};{{end}}",
		"{{range 5}}★{{end}}",
		"{{if and .name (ne .city \"\")}}{{.name}}{{else}}{{.city}}{{end}}",
		"{{$x := \"a\"}}{{if .name}}{{$x = .name}}{{end}}{{$x}}",
		"{{define \"d\"}}{{.name}} {{$.city}}{{end}}{{template \"d\" .}}{{template \"d\" $}}",
		"{{define \"d\"}}{{.}}{{end}}{{template \"d\" .name}}",
		"{{with .}}{{.name}}{{end}}",
		"{{date \"2 Jan\" .points}} {{slice .name 0 1}} {{printf \"%s!\" .name}} {{len .name}} {{title .name}}",
		"<a href=\"{{.city}}\">{{.name}}</a><a href=\"https://example.com/?c={{.city}}&n={{urlquery .name}}\">x</a>",
		"{{.name | default \"friend\" | upper}}",
		"{{/* a comment */}}{{- .name -}}",
		"{{range 3}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{break}}{{end}}",
	} {
		_, problems := template.Compile(template.Sources{Subject: "s", HTML: html, HTMLName: "m"}, columns, map[string]string{"fallback": "x"})
		if problems != nil {
			t.Errorf("%s: %v", html, problems)
		}
	}
}

func TestCompileReportsAllPartsTogether(t *testing.T) {
	_, got := template.Compile(template.Sources{
		Subject: "{{.a1}}", HTML: "{{.b1}}", HTMLName: "mail.html", Text: "\n{{if}}", TextName: "mail.txt",
	}, columns, nil)
	want := []template.Problem{
		{Name: "subject", Line: 1, Message: "unknown field a1: neither a column of the recipients' file nor a default"},
		{Name: "mail.html", Line: 1, Message: "unknown field b1: neither a column of the recipients' file nor a default"},
		{Name: "mail.txt", Line: 2, Message: "missing value for if"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, got := template.Compile(template.Sources{Subject: "s"}, columns, nil); len(got) != 1 {
		t.Errorf("no part at all: %v", got)
	}
}

func TestSubjectsAreSingleLines(t *testing.T) {
	for name, test := range map[string]struct {
		subject  string
		defaults map[string]string
	}{
		"in the template": {subject: "a\nb"},
		"in an action":    {subject: "a{{\"\\r\\n\"}}b"},
		"in a default":    {subject: "{{.greeting}}", defaults: map[string]string{"greeting": "a\nb"}},
	} {
		_, problems := template.Compile(template.Sources{Subject: test.subject, Text: "t"}, columns, test.defaults)
		if len(problems) != 1 || problems[0].Name != "subject" {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestHeaderFieldsAreThoseOfTheSubject(t *testing.T) {
	all := []string{"city", "email", "first name", "name", "points", "이름"}
	for subject, want := range map[string][]string{
		"plain":                                                  {},
		"{{.name}} {{.name}}":                                    {"name"},
		"{{if .city}}{{.name}}{{end}}":                           {"city", "name"},
		"{{index . \"first name\"}}":                             {"first name"},
		"{{with .name}}{{$.city}}{{end}}":                        {"city", "name"},
		"{{index . .name}}":                                      all,
		"{{range .}}{{.}}{{end}}":                                all,
		"{{define \"x\"}}{{.points}}{{end}}s":                    {},
		"{{define \"x\"}}{{.points}}{{end}}{{template \"x\" .}}": {"points"},
	} {
		set, problems := template.Compile(template.Sources{Subject: subject, Text: "t"}, columns, nil)
		if problems != nil {
			t.Errorf("%s: %v", subject, problems)
			continue
		}
		if diff := cmp.Diff(want, set.HeaderFields()); diff != "" {
			t.Errorf("%s: %s", subject, diff)
		}
	}
}
