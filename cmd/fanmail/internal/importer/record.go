package importer

import (
	"strings"
)

// record is one endpoint or subscriber: its values by the path that the export gives them, as in
// User.UserAttributes.City.
type record struct {
	file   string
	line   int
	values map[string][]string
}

// get is the first value at a path, or nothing.
func (r record) get(path string) string {
	if values := r.values[path]; len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// text is all values at a path for a cell of recipients.csv. Several are separated by a comma.
func (r record) text(path string) string {
	values := r.values[path]
	if len(values) == 1 {
		return values[0]
	}
	var present []string
	for _, value := range values {
		if value != "" {
			present = append(present, value)
		}
	}
	return strings.Join(present, ", ")
}

// verdict is what an export says about a record: whom to mail, and why not.
type verdict struct {
	address string
	// optedOut is the reason why nobody may mail the address any more.
	optedOut string
	// otherChannel is what the address belongs to, when it is no mail address.
	otherChannel string
	// inactive is the reason why this record is not mailed, which says nothing about its address.
	inactive string
	// problem says what can't be understood. It stops the import: it could be an opt-out.
	problem string
}

// Format is a kind of export.
type Format struct {
	// Name is what the user calls it.
	Name string
	// json says that its files may be JSON lines, besides CSV.
	json bool
	// addressPath is the path of the address in every record.
	addressPath string
	// expand adds to the values of a record what stands inside them; nil adds nothing.
	expand func(r record) (problem string)
	judge  func(r record) verdict
	// name is the short name of the column of a path, before it is made fit for a template; empty drops the path.
	name func(path string) string
}
