package template

import (
	"slices"
	"text/template/parse"
)

// Loops over numbers are bounded, so that no template can run for ever.
const (
	maxLoop    = 1000
	maxNesting = 2
)

func (c *checker) loop(n *parse.RangeNode, dot kind) {
	vars := len(c.vars)
	decl := n.Pipe.Decl
	n.Pipe.Decl = nil
	k := c.pipe(n.Pipe, dot)
	n.Pipe.Decl = decl
	for _, v := range decl {
		c.vars = append(c.vars, variable{v.Ident[0], value})
	}
	if k != row && !shortCount(n.Pipe) {
		c.problem(n.Pos, "range over %s: a field is a text, there is nothing to range over but all fields (.) and numbers up to %d",
			n.Pipe, maxLoop)
	}
	if k == row {
		c.uses.all = true
	}
	if c.loops++; c.loops > maxNesting {
		c.problem(n.Pos, "more than %d loops inside each other", maxNesting)
	}
	c.node(n.List, value)
	c.loops--
	c.node(n.ElseList, dot)
	c.vars = c.vars[:vars]
}

func shortCount(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	n, ok := p.Cmds[0].Args[0].(*parse.NumberNode)
	return ok && n.IsInt && n.Int64 <= maxLoop
}

// pipe checks a pipeline and tells what it yields.
func (c *checker) pipe(p *parse.PipeNode, dot kind) kind {
	if p == nil {
		return nothing
	}
	outer := c.test
	c.test = outer || slices.ContainsFunc(p.Cmds, isDefault)
	defer func() { c.test = outer }()
	k := value
	for i, cmd := range p.Cmds {
		var piped parse.Node
		if i > 0 && len(p.Cmds[i-1].Args) == 1 {
			piped = p.Cmds[i-1].Args[0]
		}
		k = c.command(cmd, dot, i > 0, k, piped)
	}
	for _, v := range p.Decl {
		if p.IsAssign {
			c.assign(v.Ident[0], k)
		} else {
			c.vars = append(c.vars, variable{v.Ident[0], k})
		}
	}
	return k
}

func isDefault(cmd *parse.CommandNode) bool {
	function, ok := cmd.Args[0].(*parse.IdentifierNode)
	return ok && function.Ident == "default"
}

// command checks one command. When it has a predecessor, before is what that yields and piped its only word, if it has
// just one.
func (c *checker) command(cmd *parse.CommandNode, dot kind, follows bool, before kind, piped parse.Node) kind {
	function, ok := cmd.Args[0].(*parse.IdentifierNode)
	if !ok {
		k := value
		for i, arg := range cmd.Args {
			if of := c.operand(arg, dot); i == 0 {
				k = of
			}
		}
		return k
	}
	if _, ours := functions[function.Ident]; !ours && !slices.Contains(builtins, function.Ident) {
		c.problem(function.Pos, "function %s is not available in mail", function.Ident)
	}
	args := cmd.Args[1:]
	kinds := make([]kind, 0, len(args)+1)
	for _, arg := range args {
		kinds = append(kinds, c.operand(arg, dot))
	}
	if follows {
		args, kinds = append(slices.Clone(args), piped), append(kinds, before)
	}
	if function.Ident == "index" && len(args) == 2 && kinds[0] != value {
		if key, ok := args[1].(*parse.StringNode); ok {
			c.field(kinds[0], []string{key.Text}, key.Pos)
			return value
		}
	}
	if slices.Contains(kinds, row) || slices.Contains(kinds, unknown) {
		c.uses.all = true
		if function.Ident == "and" || function.Ident == "or" {
			return unknown
		}
	}
	return value
}

func (c *checker) operand(node parse.Node, dot kind) kind {
	switch n := node.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return c.field(dot, n.Ident, n.Pos)
	case *parse.VariableNode:
		k := c.variable(n.Ident[0])
		if len(n.Ident) > 1 {
			return c.field(k, n.Ident[1:], n.Pos)
		}
		return k
	case *parse.ChainNode:
		return c.field(c.operand(n.Node, dot), n.Field, n.Pos)
	case *parse.PipeNode:
		return c.pipe(n, dot)
	case *parse.IdentifierNode:
		return c.command(&parse.CommandNode{Args: []parse.Node{n}}, dot, false, value, nil)
	}
	return value
}

func (c *checker) field(of kind, path []string, pos parse.Pos) kind {
	name := path[0]
	switch {
	case of == value:
		c.problem(pos, ".%s stands where the dot is not the recipient (inside with or range): write $.%s", name, name)
	case of == nothing:
		c.problem(pos, ".%s stands in a template that is called without the dot: write {{template \"%s\" .}}",
			name, c.active[len(c.active)-1])
	case !slices.Contains(c.known, name):
		c.problem(pos, "unknown field %s: neither a column of the recipients' file nor a default%s", name, DidYouMean(name, c.known))
	case len(path) > 1:
		c.problem(pos, "%s is a text and has no field %s", name, path[1])
	}
	c.uses.fields[name] = true
	if c.test {
		c.uses.tested[name] = true
	}
	return value
}

func (c *checker) variable(name string) kind {
	for _, v := range slices.Backward(c.vars) {
		if v.name == name {
			return v.kind
		}
	}
	return value
}

func (c *checker) assign(name string, k kind) {
	for i := range slices.Backward(c.vars) {
		if c.vars[i].name == name {
			if c.vars[i].kind != k {
				c.vars[i].kind = unknown
			}
			return
		}
	}
}
