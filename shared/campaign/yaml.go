package campaign

import (
	"slices"
	"strings"

	"fanmail/shared/template"

	"go.yaml.in/yaml/v3"
)

// mapping reads the keys of a mapping: each with its reader. Keys that are unknown or come twice are problems.
func (d *decoder) mapping(path string, node *yaml.Node, known []string, read func(key string, value *yaml.Node)) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		keyNode, value := resolve(node.Content[i]), resolve(node.Content[i+1])
		key := keyNode.Value
		field := strings.TrimPrefix(path+"."+key, ".")
		line := node.Content[i].Line
		switch {
		case keyNode.Kind != yaml.ScalarNode:
			d.problem(path, line, "a key is a single word")
			continue
		case seen[key]:
			d.problem(field, line, "comes twice; first on line %d", d.lines[field])
			continue
		}
		seen[key], d.lines[field] = true, line
		if known != nil && !slices.Contains(known, key) {
			d.problem(field, line, "unknown field%s", template.DidYouMean(key, known))
			continue
		}
		read(key, value)
	}
}

// text reads a scalar; numbers and truth values count as the text that stands in the file.
func (d *decoder) text(field string, node *yaml.Node) (string, bool) {
	if node.Kind != yaml.ScalarNode {
		if braces(node) {
			d.problem(field, node.Line, "%s", bracesMend)
			return "", false
		}
		d.problem(field, node.Line, "must be a text, not %s", kindName(node))
		return "", false
	}
	if node.Tag == "!!null" {
		return "", true
	}
	if strings.ContainsRune(node.Value, 0) {
		d.problem(field, node.Line, "has a NUL character")
		return "", false
	}
	return node.Value, true
}

// texts reads a list of texts, or one text as a list of one.
func (d *decoder) texts(field string, node *yaml.Node) (values []located) {
	if node.Kind != yaml.SequenceNode {
		if text, ok := d.text(field, node); ok && text != "" {
			values = append(values, located{text, node.Line})
		}
		return values
	}
	for _, item := range node.Content {
		if text, ok := d.text(field, resolve(item)); ok {
			values = append(values, located{text, item.Line})
		}
	}
	return values
}

// table reads texts by name, each with the line of its key.
func (d *decoder) table(field string, node *yaml.Node, each func(key, value string, line int)) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.problem(field, node.Line, "must be names with their values, not %s", kindName(node))
		return
	}
	d.mapping(field, node, nil, func(key string, value *yaml.Node) {
		if text, ok := d.text(field+"."+key, value); ok {
			each(key, text, d.lines[field+"."+key])
		}
	})
}

type located struct {
	text string
	line int
}

func kindName(node *yaml.Node) string {
	switch node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	return "a text"
}
