package campaign

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"fanmail/shared/template"

	"go.yaml.in/yaml/v3"
)

var (
	windowFields = []string{"from", "to", "days", "zone"}
	weekdays     = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	timeOfDay    = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
)

func (d *decoder) window(field string, node *yaml.Node) *Window {
	if node.Kind != yaml.MappingNode {
		d.problem(field, node.Line, "must have from and to, and may have days and zone")
		return nil
	}
	w := &Window{Zone: "UTC"}
	d.mapping(field, node, windowFields, func(key string, value *yaml.Node) {
		key = field + "." + key
		switch key {
		case "window.from":
			w.From = d.timeOfDay(key, value)
		case "window.to":
			w.To = d.timeOfDay(key, value)
		case "window.days":
			w.Days = d.days(key, value)
		case "window.zone":
			w.Zone = d.zone(key, value)
		}
	})
	for _, required := range []string{"window.from", "window.to"} {
		if d.lines[required] == 0 {
			d.problem(required, d.lines[field], "is required")
		}
	}
	if w.From != "" && w.From == w.To {
		d.problem(field, d.lines[field], "from and to are the same: the window would never open")
	}
	return w
}

func (d *decoder) timeOfDay(field string, node *yaml.Node) string {
	text, ok := d.text(field, node)
	if ok && !timeOfDay.MatchString(text) {
		d.problem(field, node.Line, "%q must be a time of day like 09:00", text)
		return ""
	}
	return text
}

func (d *decoder) days(field string, node *yaml.Node) (days []string) {
	for _, item := range d.texts(field, node) {
		day := strings.ToLower(item.text)
		switch {
		case !slices.Contains(weekdays, day):
			d.problem(field, item.line, "%q is none of %s%s", item.text, strings.Join(weekdays, ", "), template.DidYouMean(day, weekdays))
		case slices.Contains(days, day):
			d.problem(field, item.line, "%s comes twice", day)
		default:
			days = append(days, day)
		}
	}
	return days
}

// zone takes names of the IANA database only: "Local" would be another zone on every machine.
func (d *decoder) zone(field string, node *yaml.Node) string {
	text, ok := d.text(field, node)
	if !ok {
		return ""
	}
	if _, err := time.LoadLocation(text); err != nil || text == "" || text == "Local" {
		d.problem(field, node.Line, "%q is no time zone like Asia/Seoul", text)
		return ""
	}
	return text
}
