package template_test

import (
	"strings"
	"sync"
	"testing"

	"fanmail/shared/template"
)

func compile(t testing.TB, s template.Sources, defaults map[string]string) *template.Set {
	t.Helper()
	s.HTMLName, s.TextName = "mail.html", "mail.txt"
	set, problems := template.Compile(s, columns, defaults)
	if problems != nil {
		t.Fatal(problems)
	}
	return set
}

func row(pairs ...string) map[string]string {
	fields := map[string]string{"email": "kim@example.com", "name": "", "first name": "", "city": "", "이름": "", "points": ""}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	return fields
}

func TestHTMLIsEscapedWhereItStands(t *testing.T) {
	for name, test := range map[string]struct{ html, value, want string }{
		"text":                    {"<p>{{.name}}</p>", "<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>"},
		"attribute":               {"<p title=\"{{.name}}\">", "\" onclick=\"x", "<p title=\"&#34; onclick=&#34;x\">"},
		"query of a link":         {"<a href=\"https://e.example/?n={{.name}}\">", "a&b c", "<a href=\"https://e.example/?n=a%26b%20c\">"},
		"style block":             {"<style>@media (max-width: 480px) { .a > .b { color: red } }</style>{{.name}}", "k", "<style>@media (max-width: 480px) { .a > .b { color: red } }</style>k"},
		"hidden comment":          {"<!--[if mso]><td width=\"{{.name}}\">{{.name}}</td><![endif]-->", "--><b>", "<!--[if mso]><td width=\"--&gt;&lt;b&gt;\">--&gt;&lt;b&gt;</td><![endif]-->"},
		"revealed comment":        {"<!--[if !mso]><!-->{{.name}}<!--<![endif]-->", "<", "<!--[if !mso]><!-->&lt;<!--<![endif]-->"},
		"revealed, with a space":  {"<!--[if !mso]><!-- -->{{.name}}<!-- <![endif]-->", "k", "<!--[if !mso]><!-- -->k<!-- <![endif]-->"},
		"revealed, older form":    {"<![if !mso]>{{.name}}<![endif]>", "k", "<![if !mso]>k<![endif]>"},
		"with a condition":        {"<!--[if (gte mso 9)|(IE)]><table><tr><td><![endif]-->k<!--[if (gte mso 9)|(IE)]></td></tr></table><![endif]-->", "", "<!--[if (gte mso 9)|(IE)]><table><tr><td><![endif]-->k<!--[if (gte mso 9)|(IE)]></td></tr></table><![endif]-->"},
		"office XML":              {"<!--[if gte mso 9]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->", "", "<!--[if gte mso 9]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><![endif]-->"},
		"comment in a branch":     {"{{if .name}}<!--[if mso]>a<![endif]-->{{else}}<!--[if mso]>b<![endif]-->{{end}}", "", "<!--[if mso]>b<![endif]-->"},
		"comment in a loop":       {"{{range 2}}<!--[if mso]>a<![endif]-->{{end}}", "", "<!--[if mso]>a<![endif]--><!--[if mso]>a<![endif]-->"},
		"comment in a definition": {"{{define \"x\"}}<!--[if mso]>{{.}}<![endif]-->{{end}}{{template \"x\" .name}}", "k", "<!--[if mso]>k<![endif]-->"},
		"ordinary comment":        {"a<!-- note to self -->b", "", "ab"},
		"imitated placeholder":    {"<!--[if mso]>{{.name}}<![endif]-->", "fanmail-conditional-comment:1;", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := compile(t, template.Sources{Subject: "s", HTML: test.html}, nil)
			m, err := set.Render(row("name", test.value))
			if test.want == "" {
				if err == nil {
					t.Errorf("rendered %q", m.HTML)
				}
				return
			}
			if err != nil || m.HTML != test.want {
				t.Errorf("%v\n got %s\nwant %s", err, m.HTML, test.want)
			}
		})
	}
}

func TestRenderRefusesWhatMustNotBeSent(t *testing.T) {
	for name, test := range map[string]struct {
		sources template.Sources
		fields  map[string]string
		want    string
	}{
		"a missing field":           {template.Sources{Subject: "s", Text: "\n{{.name}}"}, map[string]string{"email": "a@b.example"}, "rendering the text part: mail.txt:2: .name: this recipient has no field name"},
		"a missing field, by index": {template.Sources{Subject: "s", Text: "{{index . \"first name\"}}"}, map[string]string{"email": "a@b.example"}, "no field \"first name\""},
		"a line feed in a subject":  {template.Sources{Subject: "{{.name}}", Text: "t"}, row("name", "a\nBcc: x@y.example"), "rendering the subject: it has a line break"},
		"a return in a subject":     {template.Sources{Subject: "{{.name}}", Text: "t"}, row("name", "a\rb"), "line break"},
		"a separator in a subject":  {template.Sources{Subject: "{{.name}}", Text: "t"}, row("name", "a\u2028b"), "line break"},
		"an empty subject":          {template.Sources{Subject: "{{.name}}", Text: "t"}, row("name", " "), "it is empty for this recipient"},
		"a long subject":            {template.Sources{Subject: "{{.name}}", Text: "t"}, row("name", strings.Repeat("x", 1001)), "longer than 1000 bytes"},
		"a link that is a script":   {template.Sources{Subject: "s", HTML: "<a href=\"{{.city}}\">x</a>"}, row("city", "javascript:alert(1)"), "not safe where the template puts it"},
		"no date":                   {template.Sources{Subject: "s", Text: "{{date \"2 Jan\" .points}}"}, row("points", "soon"), "\"soon\" is no date like 2026-03-01"},
		"a part too large":          {template.Sources{Subject: "s", Text: "{{range 1000}}{{$.name}}{{end}}"}, row("name", strings.Repeat("x", 6000)), "larger than 2 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compile(t, test.sources, nil).Render(test.fields)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestDefaultsStandInForMissingAndEmptyFields(t *testing.T) {
	set := compile(t, template.Sources{Subject: "{{.name}}/{{.extra}}", Text: "t"}, map[string]string{"name": "friend", "extra": "x"})
	fields := row()
	for want, fields := range map[string]map[string]string{"friend/x": fields, "Kim/x": row("name", "Kim"), "Kim/y": row("name", "Kim", "extra", "y")} {
		if m, err := set.Render(fields); err != nil || m.Subject != want {
			t.Errorf("got %q, %v; want %q", m.Subject, err, want)
		}
	}
	if fields["name"] != "" {
		t.Error("the recipient's fields were changed")
	}
}

func TestFunctions(t *testing.T) {
	for source, want := range map[string]string{
		"{{upper .name}}":                                  "KIM MIN-JUN",
		"{{lower .name}}":                                  "kim min-jun",
		"{{title .name}}":                                  "Kim Min-Jun",
		"[{{trim \"  x \"}}]":                              "[x]",
		"{{.city | default \"Seoul\"}}":                    "Seoul",
		"{{default \"friend\" .name}}":                     "kim min-Jun",
		"{{date \"2 January 2006\" \"2026-03-01\"}}":       "1 March 2026",
		"{{date \"02.01. 15:04\" \"2026-03-01 09:30\"}}":   "01.03. 09:30",
		"{{date \"Jan 2\" \"2026-03-01T09:30:00+09:00\"}}": "Mar 1",
		"{{date \"2006년 1월 2일\" \"2026-03-01\"}}":          "2026년 3월 1일",
		"{{index . \"email\"}}":                            "kim@example.com",
	} {
		m, err := compile(t, template.Sources{Subject: "s", Text: source}, nil).Render(row("name", "kim min-Jun"))
		if err != nil || m.Text != want {
			t.Errorf("%s: %q, %v; want %q", source, m.Text, err, want)
		}
	}
}

func TestRenderIsSafeForConcurrentUse(t *testing.T) {
	set := compile(t, template.Sources{Subject: "{{.name}}", HTML: "<!--[if mso]>{{.name}}<![endif]--><p>{{.name}}</p>"}, map[string]string{"city": "x"})
	var group sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		group.Go(func() {
			for range 50 {
				if m, err := set.Render(row("name", name)); err != nil || m.Subject != name || m.Text != name {
					t.Errorf("%q, %v", m, err)
					return
				}
			}
		})
	}
	group.Wait()
}
