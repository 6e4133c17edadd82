package campaign

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// tags checks names and values against SES (MessageTag: [A-Za-z0-9_-], at most 256) and against the names that are taken.
func (d *decoder) tags(field string, node *yaml.Node) map[string]string {
	tags := map[string]string{}
	d.table(field, node, func(name, value string, line int) {
		key := field + "." + name
		switch lower := strings.ToLower(name); {
		case strings.HasPrefix(lower, "fanmail"):
			d.problem(key, line, "names that begin with fanmail are Fanmail's own")
		case strings.HasPrefix(lower, "ses:"):
			d.problem(key, line, "names that begin with ses: are Amazon's own")
		case !wordPattern.MatchString(name) || len(name) > maxTagLength:
			d.problem(key, line, "a tag's name must be 1 to %d of A-Z, a-z, 0-9, _ and -", maxTagLength)
		case !wordPattern.MatchString(value) || len(value) > maxTagLength:
			d.problem(key, line, "%q: a tag's value must be 1 to %d of A-Z, a-z, 0-9, _ and -", value, maxTagLength)
		}
		tags[name] = value
	})
	if len(tags) > maxTags {
		d.problem(field, node.Line, "%d tags; at most %d", len(tags), maxTags)
	}
	return tags
}
