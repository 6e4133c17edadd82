package stepfunctions

import (
	"sort"
	"strings"
)

// template is a compiled payload template: Parameters, ResultSelector, ItemSelector and the Parameters of readers and
// writers. A field whose name ends in ".$" is a path or an intrinsic function, all else stands as written.
type template struct {
	literal any
	object  []templateField
	array   []*template
	expr    expression
	field   string
}

type templateField struct {
	name  string
	value *template
}

// expression is a path or an intrinsic function.
type expression interface {
	eval(*scope) (any, *failure)
}

// compileTemplate compiles value at the given JSON path of the definition, reporting problems to the parser.
func (p *parser) compileTemplate(at string, value any) *template {
	switch v := value.(type) {
	case map[string]any:
		t := &template{object: []templateField{}}
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			name, dynamic := strings.CutSuffix(key, ".$")
			where := join(at, key)
			if !dynamic {
				t.object = append(t.object, templateField{key, p.compileTemplate(where, v[key])})
				continue
			}
			text, ok := v[key].(string)
			if !ok {
				p.refuse(where, "must be a string holding a JSONPath or an intrinsic function")
				continue
			}
			expr, err := compileExpression(text)
			if err != nil {
				p.refuse(where, "%v", err)
				continue
			}
			t.object = append(t.object, templateField{name, &template{expr: expr, field: key}})
		}
		return t
	case []any:
		t := &template{array: []*template{}}
		for i, item := range v {
			t.array = append(t.array, p.compileTemplate(joinIndex(at, i), item))
		}
		return t
	}
	return &template{literal: value}
}

// compileExpression compiles the value of a ".$" field.
func compileExpression(text string) (expression, error) {
	if strings.HasPrefix(text, "$") {
		compiled, err := compilePath(text)
		if err != nil {
			return nil, err
		}
		return compiled, nil
	}
	return compileIntrinsic(text)
}

// eval of a path fails when there is nothing at it; the state fails with States.Runtime, as on AWS.
func (p *path) eval(s *scope) (any, *failure) {
	value, ok := p.get(s)
	if !ok {
		return nil, failf(errRuntime, "The JSONPath '%s' could not be found in the input '%s'", p.text, encode(s.input))
	}
	return value, nil
}

func (t *template) eval(s *scope) (any, *failure) {
	switch {
	case t.expr != nil:
		if p, ok := t.expr.(*path); ok {
			value, found := p.get(s)
			if !found {
				return nil, failf(errRuntime, "The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
					p.text, t.field, encode(s.input))
			}
			return value, nil
		}
		return t.expr.eval(s)
	case t.object != nil:
		object := make(map[string]any, len(t.object))
		for _, field := range t.object {
			value, f := field.value.eval(s)
			if f != nil {
				return nil, f
			}
			object[field.name] = value
		}
		return object, nil
	case t.array != nil:
		array := make([]any, len(t.array))
		for i, item := range t.array {
			value, f := item.eval(s)
			if f != nil {
				return nil, f
			}
			array[i] = value
		}
		return array, nil
	}
	return t.literal, nil
}

// has tells whether the template is an object with the field, plain or dynamic.
func (t *template) has(name string) bool {
	for _, field := range t.object {
		if field.name == name {
			return true
		}
	}
	return false
}
