package stepfunctions

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

type choiceState struct {
	rules    []choiceRule
	fallback string
}

type choiceRule struct {
	next string
	when condition
}

// condition is one test of a Choice. A failure is a path that leads nowhere.
type condition func(*scope) (bool, *failure)

func (p *parser) choice(f *fields, st *state) {
	st.choice = &choiceState{}
	st.choice.fallback, _ = f.text("Default")
	at := join(f.at, "Choices")
	entries := p.entries(f, "Choices")
	if len(entries) == 0 {
		p.refuse(f.at, "a Choice state needs at least one entry in Choices")
	}
	for i, entry := range entries {
		rule := p.object(joinIndex(at, i), "a choice rule", entry)
		rule.take("Comment")
		next := rule.required("Next")
		st.choice.rules = append(st.choice.rules, choiceRule{next, p.condition(rule)})
	}
}

// condition compiles And, Or, Not or a comparison of Variable.
func (p *parser) condition(f *fields) condition {
	defer f.done()
	for _, key := range []string{"And", "Or"} {
		if !f.has(key) {
			continue
		}
		var parts []condition
		for i, entry := range p.entries(f, key) {
			parts = append(parts, p.condition(p.object(joinIndex(join(f.at, key), i), "a comparison", entry)))
		}
		if len(parts) == 0 {
			p.refuse(join(f.at, key), "must hold at least one comparison")
		}
		return combine(parts, key == "And")
	}
	if value, ok := f.take("Not"); ok {
		inner := p.condition(p.object(join(f.at, "Not"), "a comparison", value))
		return func(s *scope) (bool, *failure) {
			yes, fail := inner(s)
			return !yes, fail
		}
	}
	return p.comparison(f)
}

// combine tests parts in order and stops at the first that decides.
func combine(parts []condition, all bool) condition {
	return func(s *scope) (bool, *failure) {
		for _, part := range parts {
			if yes, fail := part(s); fail != nil || yes != all {
				return yes, fail
			}
		}
		return all, nil
	}
}

func (p *parser) comparison(f *fields) condition {
	variable := f.path("Variable")
	if !f.has("Variable") {
		p.refuse(f.at, "%s needs Variable and a comparison operator", f.kind)
	}
	for key := range f.value {
		if key == "Variable" || key == "Next" || key == "Comment" {
			continue
		}
		value, _ := f.take(key)
		if test, ok := presence[key]; ok {
			want, isBool := value.(bool)
			if !isBool {
				p.refuse(join(f.at, key), "must be true or false")
			}
			return p.present(variable, key, want, test)
		}
		base, fromPath := strings.CutSuffix(key, "Path")
		operator, ok := operators[base]
		if !ok || (fromPath && base == "StringMatches") {
			p.refuse(join(f.at, key), "comparison operator %s is not supported", key)
			continue
		}
		if !fromPath {
			return compare(variable, operator, func(*scope) (any, *failure) { return value, nil })
		}
		other := f.path(key)
		return compare(variable, operator, func(s *scope) (any, *failure) { return choiceValue(other, s) })
	}
	p.refuse(f.at, "%s needs a comparison operator", f.kind)
	return nil
}

func choiceValue(variable *path, s *scope) (any, *failure) {
	value, ok := variable.get(s)
	if !ok {
		return nil, failf(errRuntime, "Invalid path '%s': The choice state's condition path references an invalid value.", variable.text)
	}
	return value, nil
}

func compare(variable *path, operator func(a, b any) bool, other func(*scope) (any, *failure)) condition {
	return func(s *scope) (bool, *failure) {
		a, fail := choiceValue(variable, s)
		if fail != nil {
			return false, fail
		}
		b, fail := other(s)
		return fail == nil && operator(a, b), fail
	}
}

// present compiles IsPresent and the type tests. Only IsPresent may name a path that leads nowhere.
func (p *parser) present(variable *path, key string, want bool, test func(any) bool) condition {
	return func(s *scope) (bool, *failure) {
		if key == "IsPresent" {
			_, ok := variable.get(s)
			return ok == want, nil
		}
		value, fail := choiceValue(variable, s)
		return fail == nil && test(value) == want, fail
	}
}

var presence = map[string]func(any) bool{
	"IsPresent":   nil,
	"IsNull":      func(v any) bool { return v == nil },
	"IsBoolean":   func(v any) bool { _, ok := v.(bool); return ok },
	"IsString":    func(v any) bool { _, ok := v.(string); return ok },
	"IsNumeric":   func(v any) bool { _, ok := number(v); return ok },
	"IsTimestamp": func(v any) bool { _, ok := timestamp(v); return ok },
}

// operators are the comparisons; values of other types than the operator's never match.
var operators = comparisonOperators()

func comparisonOperators() map[string]func(a, b any) bool {
	out := map[string]func(a, b any) bool{
		"BooleanEquals": func(a, b any) bool {
			x, okX := a.(bool)
			y, okY := b.(bool)
			return okX && okY && x == y
		},
		"StringMatches": func(a, b any) bool {
			text, okT := a.(string)
			pattern, okP := b.(string)
			return okT && okP && wildcard(pattern, text)
		},
	}
	orders := map[string]func(order int) bool{
		"Equals":            func(o int) bool { return o == 0 },
		"LessThan":          func(o int) bool { return o < 0 },
		"LessThanEquals":    func(o int) bool { return o <= 0 },
		"GreaterThan":       func(o int) bool { return o > 0 },
		"GreaterThanEquals": func(o int) bool { return o >= 0 },
	}
	text := func(v any) (string, bool) { s, ok := v.(string); return s, ok }
	for suffix, holds := range orders {
		out["String"+suffix] = ordered(text, strings.Compare, holds)
		out["Numeric"+suffix] = ordered(number, cmp.Compare[float64], holds)
		out["Timestamp"+suffix] = ordered(timestamp, time.Time.Compare, holds)
	}
	return out
}

func ordered[T any](as func(any) (T, bool), order func(a, b T) int, holds func(int) bool) func(a, b any) bool {
	return func(a, b any) bool {
		x, okX := as(a)
		y, okY := as(b)
		return okX && okY && holds(order(x, y))
	}
}

// timestamp is the value as a time if it is a string in RFC 3339 with a capital T and zone.
func timestamp(value any) (time.Time, bool) {
	text, ok := value.(string)
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// wildcard matches text against a pattern in which * stands for any characters and \ quotes the next one.
func wildcard(pattern, text string) bool {
	var expression strings.Builder
	quoted := false
	for _, r := range pattern {
		switch {
		case quoted:
			expression.WriteString(regexp.QuoteMeta(string(r)))
			quoted = false
		case r == '\\':
			quoted = true
		case r == '*':
			expression.WriteString(".*")
		default:
			expression.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	// Only quoted text and .* are in it, so that it always compiles.
	return regexp.MustCompile(`(?s)\A` + expression.String() + `\z`).MatchString(text)
}
