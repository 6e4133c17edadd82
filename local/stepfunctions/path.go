package stepfunctions

import (
	"fmt"
	"maps"
	"strings"

	"github.com/ohler55/ojg/jp"
)

// path is a compiled JSONPath: of the state's input, or with "$$" of the context object.
type path struct {
	text    string
	expr    jp.Expr
	root    bool
	context bool
	// definite is false for paths that can match many values: those give an array.
	definite bool
}

// scope is what paths are evaluated on. context is called only for "$$" paths.
type scope struct {
	input   any
	context func() any
}

func compilePath(text string) (*path, error) {
	p := &path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("path %q does not begin with $", text)
	}
	if after, ok := strings.CutPrefix(rest, "$"); ok {
		p.context, rest = true, after
		if strings.HasPrefix(rest, ".Task") {
			return nil, fmt.Errorf("path %q: task tokens are not supported", text)
		}
	}
	if rest != "" && rest[0] != '.' && rest[0] != '[' {
		return nil, fmt.Errorf("path %q: workflow variables are not supported", text)
	}
	expr, err := jp.ParseString("$" + rest)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", text, err)
	}
	p.expr, p.root, p.definite = expr, rest == "", true
	for _, fragment := range expr {
		switch fragment.(type) {
		case jp.Root, jp.Child, jp.Nth, jp.Bracket:
		default:
			p.definite = false
		}
	}
	return p, nil
}

// get gives the value at the path, and whether there is one.
func (p *path) get(s *scope) (any, bool) {
	document := s.input
	if p.context {
		document = s.context()
	}
	if p.root {
		return document, true
	}
	found := p.expr.Get(document)
	if !p.definite {
		if found == nil {
			found = []any{}
		}
		return found, true
	}
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// refPath is a ResultPath: where a result goes in the state's input. A nil *refPath drops the result.
type refPath struct{ keys []string }

func compileRefPath(text string) (*refPath, error) {
	p, err := compilePath(text)
	if err != nil {
		return nil, err
	}
	if p.context {
		return nil, fmt.Errorf("path %q: a result can't go into the context object", text)
	}
	ref := &refPath{}
	for _, fragment := range p.expr {
		switch f := fragment.(type) {
		case jp.Root, jp.Bracket:
		case jp.Child:
			ref.keys = append(ref.keys, string(f))
		default:
			return nil, fmt.Errorf("reference path %q: only names are supported, not %T", text, fragment)
		}
	}
	return ref, nil
}

// put gives the input with the result at the path. The input itself is not changed: earlier states' values are shared.
func (r *refPath) put(input, result any) (any, *failure) {
	if r == nil {
		return input, nil
	}
	return putAt(input, r.keys, result)
}

func putAt(input any, keys []string, result any) (any, *failure) {
	if len(keys) == 0 {
		return result, nil
	}
	object, ok := input.(map[string]any)
	if !ok && input != nil {
		return nil, failf(errResultPathMatch, "Unable to apply step %q to input %s", keys[0], encode(input))
	}
	inner, f := putAt(object[keys[0]], keys[1:], result)
	if f != nil {
		return nil, f
	}
	copied := make(map[string]any, len(object)+1)
	maps.Copy(copied, object)
	copied[keys[0]] = inner
	return copied, nil
}
