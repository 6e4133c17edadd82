package importer

import (
	"fmt"
	"strings"
)

// Listmonk is the CSV file that listmonk's page Subscribers exports: uuid, email, name, attributes (a JSON object),
// status, created_at and updated_at. It does not say who has unsubscribed from a list: that is an export of its own.
var Listmonk = Format{
	Name: "listmonk", addressPath: "email",
	expand: expandSubscriber, judge: judgeSubscriber, name: nameSubscriberColumn,
}

const attributesColumn = "attributes"

// expandSubscriber adds the attributes as attributes.city, and the first and last name as listmonk's templates have
// them.
func expandSubscriber(r record) string {
	text := r.get(attributesColumn)
	delete(r.values, attributesColumn)
	if text != "" {
		var object map[string]any
		if err := decodeObject([]byte(text), &object); err != nil {
			return fmt.Sprintf("the column %s is no JSON object: %s", attributesColumn, jsonProblem(err))
		}
		flatten(attributesColumn, object, r.values)
	}
	if name := r.get("name"); name != "" {
		for path, value := range map[string]string{"first_name": firstName(name), "last_name": lastName(name)} {
			if _, given := r.values[path]; !given {
				r.values[path] = []string{value}
			}
		}
	}
	return ""
}

func judgeSubscriber(r record) verdict {
	v := verdict{address: r.get("email")}
	switch status := r.get("status"); status {
	case "enabled":
	case "disabled", "blocklisted", "blacklisted": // the last is listmonk's old word
		v.optedOut = status
	default:
		v.problem = fmt.Sprintf("the status is %q, where only enabled, disabled and blocklisted are known", status)
	}
	return v
}

func nameSubscriberColumn(path string) string {
	switch path {
	case "email", "status", "created_at", "updated_at":
		return ""
	}
	return strings.TrimPrefix(path, attributesColumn+".")
}

// firstName and lastName are what listmonk's {{ .Subscriber.FirstName }} and LastName print: the first and the last
// word of the name with more than two bytes, or the whole name.
func firstName(name string) string {
	for _, word := range strings.Split(name, " ") {
		if len(word) > 2 {
			return word
		}
	}
	return name
}

func lastName(name string) string {
	words := strings.Split(name, " ")
	for i := len(words) - 1; i >= 0; i-- {
		if len(words[i]) > 2 {
			return words[i]
		}
	}
	return name
}
