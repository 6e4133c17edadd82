package template

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// notWord finds actions like {{.First Name}} and {{.E-Mail | upper}}, whose field is not one word.
	notWord = regexp.MustCompile(`\.([\pL_][\pL\pN_]*(?:[ \-/.?!&]+[\pL\pN_]+)+)[ ?!]*(?:\||-?\}\})`)
	unended = regexp.MustCompile(`^(?:bad character U\+007D|unexpected "}"|unclosed action)`)
	strange = regexp.MustCompile(`^(?:bad character U\+|unknown function |unexpected )`)
)

// mend adds to a parser's text the likely slip of someone who does not know Go's templates.
func mend(p Problem, source string, known []string) Problem {
	line := ""
	if lines := strings.Split(source, "\n"); p.Line > 0 && p.Line <= len(lines) {
		line = lines[p.Line-1]
	}
	m := notWord.FindStringSubmatch(line)
	name, isFunction := strings.CutPrefix(p.Message, "unknown function ")
	name, _, _ = strings.Cut(name, ";")
	switch {
	case unended.MatchString(p.Message):
		p.Message += "; an action ends with }}"
	case m != nil && strange.MatchString(p.Message):
		p.Message, _, _ = strings.Cut(p.Message, ";")
		p.Message += "; for a column with a space or sign in its name write {{index . \"" + strings.Join(strings.Fields(m[1]), " ") + "\"}}"
	case isFunction && slices.Contains(known, name):
		p.Message = "unknown function " + name + "; a field begins with a dot: {{." + name + "}}"
	}
	return p
}
