package template

import (
	htmltemplate "html/template"
	"maps"
	"slices"
	texttemplate "text/template"
	"text/template/parse"
)

// Compile parses and checks the templates against the columns of the recipients' file and the defaults. It returns
// either a Set or every problem that it found; the parsers stop at their first error, so a part whose syntax is broken
// has one. Where the columns are not known (nil), only the syntax is checked and there is no Set.
func Compile(s Sources, columns []string, defaults map[string]string) (*Set, []Problem) {
	if columns == nil {
		return nil, s.syntax()
	}
	known := known(columns, defaults)
	set := &Set{defaults: maps.Clone(defaults)}
	var problems []Problem

	var found []Problem
	var uses uses
	if set.subject, uses, found = compileText(SubjectName, s.Subject, known); len(found) == 0 {
		set.header = uses.names(known)
		set.expect(uses, known)
		for _, name := range set.header {
			if !SingleLine(defaults[name]) {
				found = append(found, Problem{SubjectName, 1, "the default of " + name + " has a line break, which a subject can't have"})
			}
		}
	}
	problems = append(problems, found...)
	if s.HTML != "" {
		uses, found = set.compileHTML(s.HTMLName, s.HTML, known)
		problems = append(problems, found...)
		set.expect(uses, known)
	}
	if s.Text != "" {
		set.text, uses, found = compileText(s.TextName, s.Text, known)
		problems = append(problems, found...)
		set.expect(uses, known)
	}
	if s.HTML == "" && s.Text == "" {
		problems = append(problems, Problem{Message: "neither an HTML nor a text template"})
	}
	if len(problems) == 0 {
		problems = set.try(s, known)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return set, nil
}

// syntax are the problems that the parsers find.
func (s Sources) syntax() (problems []Problem) {
	for _, part := range []struct{ name, source string }{{SubjectName, s.Subject}, {s.HTMLName, s.HTML}, {s.TextName, s.Text}} {
		if _, err := texttemplate.New(part.name).Funcs(functions).Parse(part.source); err != nil {
			problems = append(problems, mend(problemOf(part.name, err), part.source, nil))
		}
	}
	return problems
}

// known are the names that a template may use.
func known(columns []string, defaults map[string]string) []string {
	names := append(slices.Clone(columns), slices.Collect(maps.Keys(defaults))...)
	slices.Sort(names)
	return slices.Compact(names)
}

func compileText(name, source string, known []string) (*texttemplate.Template, uses, []Problem) {
	t, err := texttemplate.New(name).Option("missingkey=error").Funcs(functions).Parse(source)
	if err != nil {
		return nil, uses{}, []Problem{mend(problemOf(name, err), source, known)}
	}
	trees := map[string]*parse.Tree{}
	for _, t := range t.Templates() {
		trees[t.Name()] = t.Tree
	}
	uses, problems := check(name, source, trees, known)
	return t, uses, problems
}

func (s *Set) compileHTML(name, source string, known []string) (uses, []Problem) {
	guarded, comments := guard(source)
	t, err := htmltemplate.New(name).Option("missingkey=error").Funcs(functions).Parse(guarded)
	if err != nil {
		return uses{}, []Problem{mend(problemOf(name, err), guarded, known)}
	}
	trees := map[string]*parse.Tree{}
	for _, t := range t.Templates() {
		trees[t.Name()] = t.Tree
	}
	used, problems := check(name, guarded, trees, known)
	if len(problems) > 0 {
		return used, problems
	}
	// The first execution escapes the templates in place, and fails where that is not possible.
	if err := escape(t); err != nil {
		return used, []Problem{problemOf(name, err)}
	}
	for _, tree := range trees {
		comments.restore(tree.Root)
	}
	s.html, s.mark = t, comments.mark
	return used, nil
}
