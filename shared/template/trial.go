package template

import (
	"errors"
	"regexp"
)

// misprinted finds what fmt writes for a verb that does not fit its argument.
var misprinted = regexp.MustCompile(`%![a-zA-Z]?\((?:string|int|bool|EXTRA|BAD|MISSING|NOVERB)`)

// try renders every part with sample values, and again with empty ones where there is no default, so that both sides of
// most branches run once before anything is sent.
func (s *Set) try(sources Sources, known []string) []Problem {
	full, empty := map[string]string{}, map[string]string{}
	for _, name := range known {
		full[name], empty[name] = "sample", ""
	}
	if _, ok := full["email"]; ok {
		full["email"], empty["email"] = "sample@example.com", "sample@example.com"
	}
	if p := s.tryOnce(sources, full); p != nil {
		return p
	}
	return s.tryOnce(sources, empty)
}

func (s *Set) tryOnce(sources Sources, fields map[string]string) []Problem {
	data := s.fill(fields)
	var problems []Problem
	note := func(name, out string, err error) {
		if err != nil {
			// A function may refuse a sample, as slice does with an empty text; for real values that is Render's error.
			if !refused.MatchString(err.Error()) {
				problems = append(problems, problemOf(name, err))
			}
			return
		}
		if m := misprinted.FindString(out); m != "" {
			problems = append(problems, Problem{name, 0, "printf prints " + m + "...: a verb does not fit its argument; fields are texts, their verb is %s"})
		}
	}
	s.funcs(trialFunctions)
	defer s.funcs(functions)
	subject, err := run(s.subject, data)
	if err == nil && !SingleLine(subject) {
		err = errors.New("a subject is a single line without control characters")
	}
	note(SubjectName, subject, err)
	if s.html != nil {
		out, err := s.renderHTML(data)
		if err == nil {
			_, err = textOf(out)
		}
		note(sources.HTMLName, out, err)
	}
	if s.text != nil {
		out, err := run(s.text, data)
		note(sources.TextName, out, err)
	}
	return problems
}

// refused matches the errors that functions return for values they don't take.
var refused = regexp.MustCompile(`error calling (?:slice|index|date)`)

func (s *Set) funcs(functions map[string]any) {
	s.subject.Funcs(functions)
	if s.html != nil {
		s.html.Funcs(functions)
	}
	if s.text != nil {
		s.text.Funcs(functions)
	}
}
