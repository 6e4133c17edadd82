package template_test

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"fanmail/shared/template"
)

// FuzzRender puts a hostile value into every kind of place.
func FuzzRender(f *testing.F) {
	set := compile(f, template.Sources{
		Subject: "Hello {{.name}}",
		HTML: `<style>p { color: {{.name}} }</style><!--[if mso]><b title="{{.name}}">{{.name}}</b><![endif]-->` +
			`<p title="{{.name}}" style="width: {{.name}}">{{.name}}</p><a href="https://e.example/{{.name}}?q={{.name}}">x</a>` +
			`<!--[if !mso]><!-->{{title .name}}<!--<![endif]-->`,
	}, nil)
	for _, seed := range []string{
		"Kim", "<script>alert(1)</script>", "a\r\nBcc: b@c.example", "--><script>", "\"'><img src=x onerror=x>", "</style><script>",
		"]]>", "{{.email}}", "김민준", "javascript:x", "<![endif]-->", "\u2028", "\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		m, err := set.Render(row("name", value))
		if err != nil {
			return
		}
		if strings.ContainsAny(m.Subject, "\r\n") {
			t.Errorf("a subject of two lines: %q", m.Subject)
		}
		lower := strings.ToLower(m.HTML)
		if strings.Contains(lower, "<script") || strings.Contains(lower, "<img") {
			t.Errorf("markup from a value: %s", m.HTML)
		}
		for mark, want := range map[string]int{"<!--": 4, "-->": 3, "<![endif]": 2, "</style": 1, "<b ": 1, "<a ": 1} {
			if got := strings.Count(lower, mark); got != want {
				t.Errorf("%d x %s, want %d: %s", got, mark, want, m.HTML)
			}
		}
	})
}

// FuzzCompile holds that no source panics, and that what compiles renders or says why not.
func FuzzCompile(f *testing.F) {
	example, err := os.ReadFile("../../examples/spring-sale/mail.html")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(example), "{{.name}}", "{{range 3}}{{with $.name}}{{.}}{{end}}{{end}}", "{{define \"x\"}}{{end}}{{template \"x\" .}}",
		"{{$x := .}}{{$x = .name}}{{$x}}", "{{(index . \"name\") | upper}}", "<!--[if mso]>{{.name}}<![endif]-->",
		"{{printf \"%s\" .name}}", "{{block \"b\" .}}{{end}}", "{{if}}", "{{\"x\" | index .}}", "{{len . | print}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if !utf8.ValidString(source) || strings.Count(source, "range") > 2 || len(source) > 4096 {
			return
		}
		s := template.Sources{Subject: "s", HTML: source, HTMLName: "h", Text: source, TextName: "t"}
		set, problems := template.Compile(s, columns, map[string]string{"ends": "2026-04-30"})
		if (set == nil) == (len(problems) == 0) {
			t.Fatal("neither a set nor a problem, or both")
		}
		for _, p := range problems {
			if p.Message == "" || strings.Contains(p.Message, "\n") {
				t.Errorf("not one line: %q", p.Message)
			}
		}
		if set != nil {
			_, _ = set.Render(row("name", "Kim", "points", "3"))
		}
	})
}

func BenchmarkRender(b *testing.B) {
	html, err := os.ReadFile("../../examples/spring-sale/mail.html")
	if err != nil {
		b.Fatal(err)
	}
	defaults := map[string]string{"ends": "2026-04-30", "coupon": "X"}
	for name, text := range map[string]string{"text from HTML": "", "own text": "Dear {{.name}}"} {
		set := compile(b, template.Sources{Subject: "Hi {{.name}}", HTML: string(html), Text: text}, defaults)
		fields := row("name", "김민준", "city", "서울")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Render(fields); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
