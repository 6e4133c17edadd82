package campaign

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

const bracesMend = "a value that begins with {{ must stand in quotes"

var (
	bareBraces = regexp.MustCompile(`^\s*(?:- +)?(?:[\w.-]+: +)?\{\{`)
	bareColon  = regexp.MustCompile(`^\s*(?:- +)?[\w.-]+: +[^\s"'\[{|>&*!#].*:(?: |$)`)
	quoteEnds  = regexp.MustCompile(`^\s*(?:- +)?(?:[\w.-]+: +)?(?:"[^"]*"|'[^']*')\s*[^\s#]`)
)

// mend finishes the message of the YAML parser with the likely slip of someone who does not know YAML, or with nothing.
func mend(source []byte, line int) string {
	lines := strings.Split(string(source), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	switch text := lines[line-1]; {
	case bareBraces.MatchString(text):
		return "; " + bracesMend
	case bareColon.MatchString(text):
		return "; a value with \": \" in it must stand in quotes"
	case quoteEnds.MatchString(text):
		return "; a value that begins with a quote must end with it: put single quotes around all of it"
	}
	return ""
}

// braces tells whether a node is {{.name}} without quotes, which is YAML for a mapping in a mapping.
func braces(node *yaml.Node) bool {
	return node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle != 0 && len(node.Content) > 0 && node.Content[0].Kind == yaml.MappingNode
}
