package template

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOf makes the text part of a message from its HTML part.
func textOf(source string) (string, error) {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return "", err
	}
	return textOfNode(doc), nil
}

func textOfNode(n *html.Node) string {
	var l layout
	l.children(n)
	return strings.ReplaceAll(l.text.String(), "\u00a0", " ")
}

var (
	// unread is what a mail program does not show.
	unread = []atom.Atom{atom.Head, atom.Script, atom.Style}
	// paragraphs stand between empty lines.
	paragraphs = []atom.Atom{
		atom.Blockquote, atom.Dl, atom.Figure, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Hr, atom.Ol, atom.P, atom.Pre,
		atom.Table, atom.Ul,
	}
	// lines stand on lines of their own.
	lines = []atom.Atom{
		atom.Address, atom.Article, atom.Aside, atom.Center, atom.Dd, atom.Div, atom.Dt, atom.Figcaption, atom.Footer, atom.Header,
		atom.Li, atom.Main, atom.Nav, atom.Section, atom.Tr,
	}
)

// layout writes the text of a document as it walks through it.
type layout struct {
	text strings.Builder
	// breaks are the ends of lines, and space is a blank, that must stand before the next word.
	breaks int
	space  bool
	// bullet says that the last word is that of a list's item, which the first paragraph in it goes on.
	bullet bool
	// verbatim is set within pre.
	verbatim bool
}

func (l *layout) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		l.node(c)
	}
}

func (l *layout) node(n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		l.write(n.Data)
	case n.Type != html.ElementNode || hidden(n) || slices.Contains(unread, n.DataAtom):
	case slices.Contains(paragraphs, n.DataAtom):
		l.apart(2)
		l.element(n)
		l.apart(2)
	case slices.Contains(lines, n.DataAtom):
		l.apart(1)
		l.element(n)
		l.apart(1)
	default:
		l.element(n)
	}
}

func (l *layout) element(n *html.Node) {
	switch n.DataAtom {
	case atom.A:
		l.children(n)
		l.write(target(n))
	case atom.Blockquote:
		for line := range strings.Lines(textOfNode(n)) {
			l.put(strings.TrimSpace("> " + line))
			l.apart(1)
		}
	case atom.Br:
		l.breaks = min(l.breaks+1, 2)
	case atom.H1, atom.H2, atom.H3:
		l.heading(n)
	case atom.Hr:
		l.put("----------")
	case atom.Img:
		l.write(attribute(n, "alt"))
	case atom.Li:
		l.put("*")
		l.bullet = true
		l.children(n)
		l.bullet = false
	case atom.Pre:
		words := layout{verbatim: true}
		words.children(n)
		l.put(strings.Trim(words.text.String(), "\n"))
	case atom.Tr:
		l.row(n)
	default:
		l.children(n)
	}
}

// heading underlines, the first two levels on both sides.
func (l *layout) heading(n *html.Node) {
	var words layout
	words.children(n)
	text, width := words.text.String(), 0
	for line := range strings.Lines(text) {
		width = max(width, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
	}
	if width == 0 {
		return
	}
	rule := strings.Repeat("-", width)
	if n.DataAtom == atom.H1 {
		rule = strings.Repeat("*", width)
	}
	if n.DataAtom != atom.H3 {
		l.put(rule)
		l.apart(1)
	}
	l.put(text)
	l.apart(1)
	l.put(rule)
}

// row puts the cells of a table row beside each other; cells that hold paragraphs or tables of their own, as layout tables have
// them, below each other.
func (l *layout) row(tr *html.Node) {
	below, started := layoutOnly(tr), false
	for cell := tr.FirstChild; cell != nil; cell = cell.NextSibling {
		if strings.TrimSpace(textOfNode(cell)) == "" {
			continue
		}
		if started && below {
			l.apart(1)
		} else if started {
			l.write(" | ")
		}
		started = true
		l.node(cell)
	}
}

// layoutOnly tells whether the cells of a row hold more than words.
func layoutOnly(tr *html.Node) bool {
	for cell := tr.FirstChild; cell != nil; cell = cell.NextSibling {
		for n := range cell.Descendants() {
			if n.DataAtom == atom.Br || slices.Contains(paragraphs, n.DataAtom) || slices.Contains(lines, n.DataAtom) {
				return true
			}
		}
	}
	return false
}

// write writes text whose white space is a blank at most, but for verbatim text. A blank that does not break stays.
func (l *layout) write(text string) {
	if l.verbatim {
		l.put(strings.ReplaceAll(text, "\r\n", "\n"))
		return
	}
	white := func(r rune) bool { return strings.ContainsRune(" \t\r\n\f", r) }
	for i, word := range strings.FieldsFunc(text, white) {
		l.space = l.space || i > 0 || white(rune(text[0]))
		l.put(word)
	}
	if text != "" && white(rune(text[len(text)-1])) {
		l.space = true
	}
}

// put writes text as it is, after what must stand before it. Blanks alone are no text.
func (l *layout) put(text string) {
	if strings.TrimSpace(text) == "" {
		l.space = l.space || text != ""
		return
	}
	switch {
	case l.text.Len() == 0:
	case l.bullet:
		l.text.WriteByte(' ')
	case l.breaks > 0:
		l.text.WriteString(strings.Repeat("\n", l.breaks))
	case l.space:
		l.text.WriteByte(' ')
	}
	l.breaks, l.space, l.bullet = 0, false, false
	l.text.WriteString(text)
}

// apart puts what follows n lines below.
func (l *layout) apart(n int) { l.breaks = max(l.breaks, n) }

// target is what is written after the words of a link: its address in angle brackets (RFC 3986, appendix C), or nothing when
// the words are the address or the link leads nowhere.
func target(a *html.Node) string {
	href := strings.TrimSpace(attribute(a, "href"))
	words := strings.Join(strings.Fields(textOfNode(a)), " ")
	bare := strings.TrimPrefix(href, "mailto:")
	if href == "" || href[0] == '#' || words == href || words == bare {
		return ""
	}
	if words == "" {
		return bare
	}
	return " <" + bare + ">"
}

// hidden elements are preview texts and tracking pixels: a reader of the text part should not see them.
func hidden(n *html.Node) bool {
	style := strings.ToLower(strings.Join(strings.Fields(attribute(n, "style")), ""))
	return strings.Contains(style, "display:none") || slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "hidden" })
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
