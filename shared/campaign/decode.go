package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// decoder reads campaign.yaml node by node: yaml's own strict mode stops at the first problem in a value and has no
// lines for values that are well-formed but wrong.
type decoder struct {
	root     *yaml.Node
	result   Campaign
	lines    map[string]int // of the keys, by path
	problems Problems
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(?:yaml: )?`)

// decode parses the file. A file that is no YAML has one problem.
func decode(source []byte) *decoder {
	d := &decoder{lines: map[string]int{}}
	if !utf8.Valid(source) {
		d.problem("", invalidLine(source), "not UTF-8: save the file as UTF-8")
		return d
	}
	reader := yaml.NewDecoder(bytes.NewReader(source))
	var document yaml.Node
	switch err := parse(reader, &document); {
	case errors.Is(err, io.EOF):
		d.problem("", 0, "the file is empty: it needs at least from, subject, and html or text")
		return d
	case err != nil:
		m := yamlLine.FindStringSubmatch(err.Error())
		line, _ := strconv.Atoi(m[1])
		message := err.Error()[len(m[0]):]
		if strings.HasPrefix(message, "did not find expected") || line == 0 && strings.HasPrefix(message, "mapping values") {
			line++ // the library counts the lines of the former from 0, and leaves out 0
		}
		d.problem("", line, "not YAML: %s%s", message, mend(source, line))
		return d
	}
	root := resolve(document.Content[0])
	switch {
	case root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		d.problem("", 0, "the file is empty: it needs at least from, subject, and html or text")
		return d
	case root.Kind != yaml.MappingNode:
		d.problem("", root.Line, "not a list of fields like \"subject: Spring is here\"")
		return d
	}
	var second yaml.Node
	if err := parse(reader, &second); err == nil {
		d.problem("", second.Line, "a second document starts here: one campaign, one document")
	}
	d.root = root
	return d
}

// parse keeps a panic of the YAML parser, should it have one left, from ending the process.
func parse(reader *yaml.Decoder, node *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return reader.Decode(node)
}

func resolve(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return node
}

func (d *decoder) problem(field string, line int, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: File, Line: line, Field: field, Message: fmt.Sprintf(format, args...)})
}
