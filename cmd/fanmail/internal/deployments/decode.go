package deployments

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	nameRule  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	stageRule = regexp.MustCompile(`^[A-Za-z0-9-]+$`) // it is part of the stack's name
	yamlLine  = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
)

// ValidName tells whether a deployment can have this name.
func ValidName(name string) bool { return nameRule.MatchString(name) }

// ValidStage tells whether a stack can belong to this stage.
func ValidStage(stage string) bool { return stageRule.MatchString(stage) }

// decoder reads the file node by node: yaml's own strict mode names no field where a value is of a wrong kind.
type decoder struct {
	file     *File
	problems []error
}

func (d *decoder) problem(line int, format string, args ...any) {
	d.problems = append(d.problems, fmt.Errorf("%s:%d: %s", d.file.Path, line, fmt.Sprintf(format, args...)))
}

func (d *decoder) decode(text []byte) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		line := 1
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
			fmt.Sscan(m[1], &line)
		}
		d.problem(line, "not YAML: %s", yamlLine.ReplaceAllString(err.Error(), ""))
		return
	}
	if len(document.Content) == 0 {
		return
	}
	currentLine := 0
	d.mapping("", document.Content[0], []string{"current", "deployments"}, func(key string, value *yaml.Node) {
		if key == "current" {
			currentLine = value.Line
			d.text(key, value, &d.file.Current)
			return
		}
		d.mapping(key, value, nil, d.deployment)
	})
	if _, known := d.file.Deployments[d.file.Current]; d.file.Current != "" && !known && len(d.problems) == 0 {
		d.problem(currentLine, "current: there is no deployment %q here: it has %s", d.file.Current, d.file.list())
	}
}

func (d *decoder) deployment(name string, value *yaml.Node) {
	if !ValidName(name) {
		d.problem(value.Line, "deployments: the name %q: use letters, digits, dots, hyphens and underscores", name)
		return
	}
	path := "deployments." + name
	var one Deployment
	fields := map[string]*string{"stage": &one.Stage, "region": &one.Region, "profile": &one.Profile}
	d.mapping(path, value, []string{"stage", "region", "profile"}, func(key string, value *yaml.Node) {
		d.text(path+"."+key, value, fields[key])
		if key == "stage" && one.Stage != "" && !ValidStage(one.Stage) {
			d.problem(value.Line, "%s.stage: %q is no stage: use letters, digits and hyphens", path, one.Stage)
		}
	})
	d.file.Deployments[name] = one
}

// mapping reads keys with their values; an empty one has none. With known, all other keys are problems.
func (d *decoder) mapping(path string, node *yaml.Node, known []string, read func(key string, value *yaml.Node)) {
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	if node.Kind != yaml.MappingNode {
		d.problem(node.Line, "%s: must be names with their values", orFile(path))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		field := strings.TrimPrefix(path+"."+key.Value, ".")
		switch {
		case seen[key.Value]:
			d.problem(key.Line, "%s: comes twice", field)
		case known != nil && !slices.Contains(known, key.Value):
			d.problem(key.Line, "%s: unknown field: there are %s", field, strings.Join(known, ", "))
		default:
			read(key.Value, value)
		}
		seen[key.Value] = true
	}
}

func (d *decoder) text(field string, node *yaml.Node, to *string) {
	if node.Kind != yaml.ScalarNode {
		d.problem(node.Line, "%s: must be a text", field)
		return
	}
	if node.Tag != "!!null" {
		*to = node.Value
	}
}

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// list names all deployments for a message.
func (f File) list() string {
	if len(f.Deployments) == 0 {
		return "none"
	}
	return strings.Join(f.Names(), ", ")
}
