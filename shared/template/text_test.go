package template_test

import (
	"testing"

	"fanmail/shared/template"
)

func TestTextPartIsReadable(t *testing.T) {
	for name, test := range map[string]struct{ html, want string }{
		"paragraphs":           {"<p>one</p><p>two</p>", "one\n\ntwo"},
		"link":                 {"<p>See <a href=\"https://e.example/a?b=1&amp;c=2\">the shop</a>, now.</p>", "See the shop <https://e.example/a?b=1&c=2>, now."},
		"link of itself":       {"<a href=\"https://e.example/\">https://e.example/</a>", "https://e.example/"},
		"mail link":            {"<a href=\"mailto:a@b.example\">a@b.example</a>", "a@b.example"},
		"anchor":               {"<a href=\"#top\">top</a>", "top"},
		"linked image":         {"<a href=\"https://e.example/\"><img src=\"x.png\" alt=\"The shop\"></a>", "The shop <https://e.example/>"},
		"linked image, no alt": {"<a href=\"https://e.example/\"><img src=\"x.png\"></a>", "https://e.example/"},
		"bold and a particle":  {"<p><b>김민준</b>님, <strong>서울</strong>에 봄이 왔습니다.</p>", "김민준님, 서울에 봄이 왔습니다."},
		"bold and a comma":     {"<p>Hello <b>Kim</b>, hello <i>Lee</i>!</p>", "Hello Kim, hello Lee!"},
		"line break":           {"<p>one<br>two</p>", "one\ntwo"},
		"list":                 {"<ul><li>one</li><li>two</li></ul>", "* one\n* two"},
		"numbered list":        {"<ol><li>one</li><li>two</li></ol>", "* one\n* two"},
		"table":                {"<table><tr><th>Code</th><th>Off</th></tr><tr><td>A1</td><td>20 %</td></tr></table>", "Code | Off\nA1 | 20 %"},
		"layout table":         {"<table><tr><td><p>one</p></td><td><p>two</p></td></tr></table>", "one\n\ntwo"},
		"spacer cells":         {"<table><tr><td>&nbsp;</td><td>one</td><td></td></tr></table>", "one"},
		"nested table":         {"<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>", "a | b"},
		"sections":             {"<header>one</header><section>two</section><footer>three</footer>", "one\ntwo\nthree"},
		"hidden preview":       {"<div style=\"display: none\">preview</div><p hidden>x</p><p>shown</p>", "shown"},
		"head and style":       {"<head><title>t</title><style>p{}</style></head><body><style>b{}</style>shown</body>", "shown"},
		"conditional comments": {"<!--[if mso]><p>outlook</p><![endif]--><!--[if !mso]><!--><p>others</p><!--<![endif]-->", "others"},
		"entities":             {"<p>a &amp; b &lt; c&nbsp;d &copy;</p>", "a & b < c d ©"},
		"paragraph in a list":  {"<ul><li><p>one</p></li><li>two</li></ul>", "* one\n\n* two"},
		"headings":             {"<h1>One</h1><p>a</p><h3>two</h3>b", "***\nOne\n***\n\na\n\ntwo\n---\n\nb"},
		"quotation":            {"<blockquote>one<br>two<p>three</p></blockquote>four", "> one\n> two\n>\n> three\n\nfour"},
		"kept white space":     {"<pre>a\n  b\n</pre>c", "a\n  b\n\nc"},
		"empty paragraph":      {"<p>one</p><p>&nbsp;</p><p>two</p>", "one\n\ntwo"},
		"rule":                 {"one<hr>two", "one\n\n----------\n\ntwo"},
		"images in a table":    {"<table><tr><td><a href=\"https://e.example/\"><img alt=\"The shop\"></a></td><td>one</td></tr></table>", "The shop <https://e.example/> | one"},
		"only an image":        {"<img src=\"x.png\">", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := compile(t, template.Sources{Subject: "s", HTML: test.html}, nil).Render(row())
			if err != nil || m.Text != test.want {
				t.Errorf("%v\n got %q\nwant %q", err, m.Text, test.want)
			}
		})
	}
}
