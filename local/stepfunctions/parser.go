package stepfunctions

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// parser compiles a definition. It collects every problem, each with the JSON path where it stands.
type parser struct {
	problems []error
}

// refuse reports a problem at a JSON path of the definition.
func (p *parser) refuse(at, format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

// err joins the problems, in the order of their text: a definition's objects have none.
func (p *parser) err() error {
	slices.SortFunc(p.problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(p.problems...)
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// join appends a key to a JSON path.
func join(at, key string) string {
	if plainKey.MatchString(key) {
		return at + "." + key
	}
	return at + "['" + strings.ReplaceAll(key, "'", `\'`) + "']"
}

func joinIndex(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }

// fields is an object of the definition. Every field that is not taken is refused by name in done.
type fields struct {
	p     *parser
	at    string
	kind  string
	value map[string]any
	taken []string
}

// object takes value as an object; kind names it in refusals ("a Task state"). It is never nil.
func (p *parser) object(at, kind string, value any) *fields {
	object, ok := value.(map[string]any)
	if !ok {
		p.refuse(at, "%s must be an object", kind)
	}
	return &fields{p: p, at: at, kind: kind, value: object}
}

func (f *fields) take(key string) (any, bool) {
	f.taken = append(f.taken, key)
	value, ok := f.value[key]
	return value, ok
}

func (f *fields) has(key string) bool {
	_, ok := f.value[key]
	return ok
}

// done refuses whatever was not taken.
func (f *fields) done() {
	var unknown []string
	for key := range f.value {
		if !slices.Contains(f.taken, key) {
			unknown = append(unknown, key)
		}
	}
	sort.Strings(unknown)
	for _, key := range unknown {
		f.p.refuse(join(f.at, key), "field %s of %s is not supported", key, f.kind)
	}
}

// text takes an optional string.
func (f *fields) text(key string) (string, bool) {
	value, ok := f.take(key)
	if !ok {
		return "", false
	}
	text, isText := value.(string)
	if !isText {
		f.p.refuse(join(f.at, key), "must be a string")
	}
	return text, isText
}

// required takes a string that must be there.
func (f *fields) required(key string) string {
	text, ok := f.text(key)
	if !ok && !f.has(key) {
		f.p.refuse(f.at, "%s needs the field %s", f.kind, key)
	}
	return text
}

// whole takes an optional whole number between low and high.
func (f *fields) whole(key string, low, high, without int64) int64 {
	value, ok := f.take(key)
	if !ok {
		return without
	}
	i, isWhole := integer(value)
	if !isWhole || i < low || i > high {
		f.p.refuse(join(f.at, key), "must be a whole number from %d to %d", low, high)
		return without
	}
	return i
}

// path takes an optional JSONPath.
func (f *fields) path(key string) *path {
	text, ok := f.text(key)
	if !ok {
		return nil
	}
	compiled, err := compilePath(text)
	if err != nil {
		f.p.refuse(join(f.at, key), "%v", err)
		return nil
	}
	return compiled
}

// template takes an optional payload template.
func (f *fields) template(key string) *template {
	value, ok := f.take(key)
	if !ok {
		return nil
	}
	return f.p.compileTemplate(join(f.at, key), value)
}

// exclusive refuses two fields that can't stand together.
func (f *fields) exclusive(a, b string) {
	if f.has(a) && f.has(b) {
		f.p.refuse(join(f.at, b), "can't stand beside %s", a)
	}
}

// number is a whole number that stands in the definition (fixed) or comes from the state's input (path).
type numberField struct {
	name  string
	fixed int64
	path  *path
}

// number takes key, or keyPath.
func (f *fields) number(key string, low, high, without int64) numberField {
	f.exclusive(key, key+"Path")
	return numberField{name: key + "Path", fixed: f.whole(key, low, high, without), path: f.path(key + "Path")}
}

// of is the number for an input; it must not be negative.
func (n numberField) of(s *scope) (int64, *failure) {
	if n.path == nil {
		return n.fixed, nil
	}
	value, ok := n.path.get(s)
	if !ok {
		return 0, failf(errRuntime, "The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
			n.path.text, n.name, encode(s.input))
	}
	i, whole := integer(value)
	if !whole || i < 0 {
		return 0, failf(errRuntime, "The %s parameter '%s' must be a non-negative whole number, but it is %s",
			n.name, n.path.text, encode(value))
	}
	return i, nil
}
