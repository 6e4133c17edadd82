package template

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// kind says what the dot or a variable is at a place in a template.
type kind int

const (
	value   kind = iota // one text, number or truth value
	row                 // all fields
	unknown             // either
	nothing             // the dot of a template that is called without data
)

// uses are the fields that a template reads; all is set when it may read any of them. Tested are those that stand in the
// condition of an if or with, or have a default in the template: their author has thought of an empty value.
type uses struct {
	fields, tested map[string]bool
	all            bool
}

func (u uses) names(known []string) []string {
	return slices.DeleteFunc(slices.Clone(known), func(name string) bool { return !u.all && !u.fields[name] })
}

// checker walks the parse trees of one file, every branch of them.
type checker struct {
	name     string
	source   string
	trees    map[string]*parse.Tree
	known    []string
	uses     uses
	problems []Problem

	seen   map[string]bool // templates already checked, with the kind of their dot
	active []string        // templates being checked, the outermost first
	vars   []variable
	loops  int
	test   bool // inside a condition, or beside a default
}

type variable struct {
	name string
	kind kind
}

func check(name, source string, trees map[string]*parse.Tree, known []string) (uses, []Problem) {
	c := &checker{
		name: name, source: source, trees: trees, known: known,
		uses: uses{fields: map[string]bool{}, tested: map[string]bool{}}, seen: map[string]bool{},
	}
	c.template(name, row)
	main := uses{maps.Clone(c.uses.fields), maps.Clone(c.uses.tested), c.uses.all}
	for _, other := range slices.Sorted(maps.Keys(trees)) {
		if !c.called(other) {
			c.template(other, row)
		}
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Line - b.Line })
	return main, slices.Compact(c.problems)
}

func (c *checker) called(name string) bool {
	for key := range c.seen {
		if strings.HasSuffix(key, ":"+name) {
			return true
		}
	}
	return false
}

func (c *checker) template(name string, dot kind) {
	key := fmt.Sprintf("%d:%s", dot, name)
	tree := c.trees[name]
	if c.seen[key] || tree == nil || tree.Root == nil {
		return
	}
	c.seen[key] = true
	vars, loops := c.vars, c.loops
	c.vars, c.active = []variable{{"$", dot}}, append(c.active, name)
	c.node(tree.Root, dot)
	c.vars, c.loops, c.active = vars, loops, c.active[:len(c.active)-1]
}

func (c *checker) node(node parse.Node, dot kind) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, child := range n.Nodes {
				c.node(child, dot)
			}
		}
	case *parse.ActionNode:
		if k := c.pipe(n.Pipe, dot); k == row && len(n.Pipe.Decl) == 0 {
			c.problem(n.Pos, "%s prints all fields at once: name one, like {{.email}}", n)
		}
	case *parse.IfNode:
		c.branch(&n.BranchNode, dot, func(kind) kind { return dot })
	case *parse.WithNode:
		c.branch(&n.BranchNode, dot, func(k kind) kind { return k })
	case *parse.RangeNode:
		c.loop(n, dot)
	case *parse.TemplateNode:
		c.call(n, dot)
	}
}

func (c *checker) branch(n *parse.BranchNode, dot kind, inside func(kind) kind) {
	vars := len(c.vars)
	c.test = true
	k := c.pipe(n.Pipe, dot)
	c.test = false
	c.node(n.List, inside(k))
	c.node(n.ElseList, dot)
	c.vars = c.vars[:vars]
}

func (c *checker) call(n *parse.TemplateNode, dot kind) {
	k := nothing
	if n.Pipe != nil {
		k = c.pipe(n.Pipe, dot)
	}
	if _, ok := c.trees[n.Name]; !ok {
		c.problem(n.Pos, "no template %q%s", n.Name, DidYouMean(n.Name, slices.Collect(maps.Keys(c.trees))))
		return
	}
	if slices.Contains(c.active, n.Name) {
		c.problem(n.Pos, "template %q calls itself", n.Name)
		return
	}
	c.template(n.Name, k)
}

func (c *checker) problem(pos parse.Pos, format string, args ...any) {
	line := 1 + strings.Count(c.source[:min(int(pos), len(c.source))], "\n")
	c.problems = append(c.problems, Problem{c.name, line, fmt.Sprintf(format, args...)})
}
