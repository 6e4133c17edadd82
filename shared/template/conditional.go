package template

import (
	"fmt"
	htmltemplate "html/template"
	"io"
	"regexp"
	"strings"
	"text/template/parse"
)

// conditional matches the opening and closing marks of Outlook's conditional comments, hidden and revealed, and XML
// processing instructions inside them. html/template would strip or escape them, and with them the layout in Outlook.
// What stands between the marks is left to html/template as ordinary HTML.
var conditional = regexp.MustCompile(`(?i)<!--\[if[^\]{}]*\]>(?:\s*<!-*\s*-->|\s*-->)?` +
	`|(?:<!--\s*)?<!\[endif\](?:--)?>` +
	`|<!\[if[^\]{}]*\]>` +
	`|<\?xml[^>{}]*\?>`)

// comments are the conditional comments of one source, each under the placeholder that html/template sees as text.
type comments struct {
	mark     string
	replacer *strings.Replacer
}

// guard puts a placeholder, with as many lines, in place of every conditional comment.
func guard(source string) (string, comments) {
	mark := "fanmail-conditional-comment"
	for strings.Contains(source, mark) {
		mark += "-"
	}
	var pairs []string
	guarded := conditional.ReplaceAllStringFunc(source, func(comment string) string {
		placeholder := fmt.Sprintf("%s:%d;%s", mark, len(pairs)/2, strings.Repeat("\n", strings.Count(comment, "\n")))
		pairs = append(pairs, placeholder, comment)
		return placeholder
	})
	if pairs == nil {
		return source, comments{}
	}
	return guarded, comments{mark, strings.NewReplacer(pairs...)}
}

// restore puts the comments back into an escaped tree, where field values, which come later, can't imitate them.
func (c comments) restore(node parse.Node) {
	if c.replacer == nil {
		return
	}
	switch n := node.(type) {
	case *parse.TextNode:
		n.Text = []byte(c.replacer.Replace(string(n.Text)))
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			c.restore(child)
		}
	case *parse.IfNode:
		c.restore(n.List)
		c.restore(n.ElseList)
	case *parse.WithNode:
		c.restore(n.List)
		c.restore(n.ElseList)
	case *parse.RangeNode:
		c.restore(n.List)
		c.restore(n.ElseList)
	}
}

// escape makes html/template escape t and the templates it calls, which it does at the first execution.
func escape(t *htmltemplate.Template) error {
	err := t.Execute(io.Discard, map[string]string{})
	if _, ok := err.(*htmltemplate.Error); ok {
		return err
	}
	return nil // an execution error: the sample data of the trial are better
}
