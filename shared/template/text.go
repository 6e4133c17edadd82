package template

import (
	"slices"
	"strings"

	"github.com/inbucket/html2text"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textOf makes the text part of a message from its HTML part. html2text lays out paragraphs, headings and lists; before
// that, simplify turns into plain text what it would tear apart or run together: words in bold next to punctuation or a
// Korean particle, links, and the cells of a table.
func textOf(source string) (string, error) {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return "", err
	}
	simplify(doc)
	text, err := html2text.FromHTMLNode(doc)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(text, "\u00a0", " "), nil
}

var (
	inline = []atom.Atom{
		atom.Abbr, atom.B, atom.Big, atom.Code, atom.Del, atom.Em, atom.Font, atom.I, atom.Ins, atom.Label, atom.Mark, atom.S,
		atom.Small, atom.Span, atom.Strong, atom.Sub, atom.Sup, atom.U,
	}
	// html2text knows div, p and ul as blocks; these are alike.
	renamed = map[atom.Atom]atom.Atom{
		atom.Address: atom.Div, atom.Article: atom.Div, atom.Aside: atom.Div, atom.Center: atom.Div, atom.Dd: atom.Div,
		atom.Dl: atom.P, atom.Dt: atom.Div, atom.Figcaption: atom.Div, atom.Figure: atom.P, atom.Footer: atom.Div,
		atom.H4: atom.P, atom.H5: atom.P, atom.H6: atom.P, atom.Header: atom.Div, atom.Hr: atom.P, atom.Main: atom.Div,
		atom.Nav: atom.Div, atom.Ol: atom.Ul, atom.Section: atom.Div,
	}
)

// simplify rewrites the children of n.
func simplify(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.CommentNode || c.Type == html.ElementNode && hidden(c) {
			n.RemoveChild(c)
		} else if c.Type == html.ElementNode {
			simplify(c)
			rewrite(c)
		}
		c = next
	}
	merge(n)
}

// rewrite changes one element whose children are simple already.
func rewrite(n *html.Node) {
	switch {
	case n.DataAtom == atom.A:
		if target := target(n); target != "" {
			n.AppendChild(text(target))
		}
		unwrap(n)
	case n.DataAtom == atom.Img:
		n.Parent.InsertBefore(text(attribute(n, "alt")), n)
		n.Parent.RemoveChild(n)
	case n.DataAtom == atom.Tr:
		flatten(n)
	case slices.Contains(inline, n.DataAtom):
		unwrap(n)
	default:
		if n.DataAtom == atom.Hr {
			n.AppendChild(text("----------"))
		}
		if as, ok := renamed[n.DataAtom]; ok {
			n.DataAtom, n.Data = as, as.String()
		}
	}
}

// target is what is written after the words of a link: its address in angle brackets (RFC 3986, appendix C), or nothing when
// the words are the address or the link leads nowhere.
func target(a *html.Node) string {
	href := strings.TrimSpace(attribute(a, "href"))
	words := strings.Join(strings.Fields(textContent(a)), " ")
	bare := strings.TrimPrefix(href, "mailto:")
	if href == "" || href[0] == '#' || words == href || words == bare {
		return ""
	}
	if words == "" {
		return bare
	}
	return " <" + bare + ">"
}

// flatten puts a table row on a line, its cells beside each other; cells that hold paragraphs or tables of their own,
// as layout tables have them, below each other.
func flatten(tr *html.Node) {
	separator := func() *html.Node { return text(" | ") }
	for cell := tr.FirstChild; cell != nil; cell = cell.NextSibling {
		for c := cell.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode {
				separator = lineBreak
			}
		}
	}
	started := false
	for cell := tr.FirstChild; cell != nil; {
		next := cell.NextSibling
		if strings.TrimSpace(textContent(cell)) == "" {
			tr.RemoveChild(cell)
		} else {
			if started {
				tr.InsertBefore(separator(), cell)
			}
			started = true
			unwrap(cell)
		}
		cell = next
	}
	if started {
		tr.AppendChild(lineBreak())
	}
	merge(tr)
}

// unwrap replaces n by its children.
func unwrap(n *html.Node) {
	for c := n.FirstChild; c != nil; c = n.FirstChild {
		n.RemoveChild(c)
		n.Parent.InsertBefore(c, n)
	}
	n.Parent.RemoveChild(n)
}

// merge joins neighbouring text nodes, between which html2text would put a space.
func merge(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		for c.Type == html.TextNode && c.NextSibling != nil && c.NextSibling.Type == html.TextNode {
			c.Data += c.NextSibling.Data
			n.RemoveChild(c.NextSibling)
		}
	}
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

func textContent(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textContent(c))
	}
	return b.String()
}

func text(s string) *html.Node { return &html.Node{Type: html.TextNode, Data: s} }

func lineBreak() *html.Node {
	return &html.Node{Type: html.ElementNode, Data: "br", DataAtom: atom.Br}
}
