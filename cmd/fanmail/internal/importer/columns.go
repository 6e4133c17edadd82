package importer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// maxHeader is the most bytes that the header row may have: more than that Fanmail does not search for the separator.
const maxHeader = 48 << 10

// emailColumn is the first column of recipients.csv, and a name that no other one may have, in any case.
const emailColumn = "email"

// Column says where a column of recipients.csv comes from.
type Column struct {
	Name string `json:"name"`
	// From is the path in the export, such as User.UserAttributes.City.
	From string `json:"from"`
}

// columns are the paths of all records.
type columns map[string]struct{}

func (c columns) add(r record) {
	for path := range r.values {
		if _, known := c[path]; !known {
			c[strings.Clone(path)] = struct{}{}
		}
	}
}

// named gives each path a column of its own, email first and the others in the order of their names. A short name
// goes to the first of those that could have it; the others get their whole path as the name, with a number if even
// that is taken.
func (c columns) named(f Format) ([]Column, error) {
	var all []Column
	taken := map[string]bool{}
	for _, path := range slices.SortedFunc(maps.Keys(c), byPrecedence) {
		short := f.name(path)
		if short == "" {
			continue
		}
		name := identifier(short)
		if taken[name] || strings.EqualFold(name, emailColumn) {
			name = identifier(path)
		}
		for i, plain := 2, name; taken[name] || strings.EqualFold(name, emailColumn); i++ {
			name = fmt.Sprintf("%s_%d", plain, i)
		}
		taken[name] = true
		all = append(all, Column{Name: name, From: path})
	}
	slices.SortFunc(all, func(a, b Column) int { return cmp.Compare(a.Name, b.Name) })
	all = append([]Column{{Name: emailColumn, From: f.addressPath}}, all...)
	bytes := 0
	for _, column := range all {
		bytes += len(column.Name) + 1
	}
	if bytes > maxHeader {
		return nil, fmt.Errorf("the export has %d columns, too many for a header row: leave out attributes that no template uses", len(all)-1)
	}
	return all, nil
}

// byPrecedence puts the user's attributes before the endpoint's, and columns before what stands inside them.
func byPrecedence(a, b string) int {
	rank := func(path string) int {
		switch {
		case strings.HasPrefix(path, "User.UserAttributes."):
			return 1
		case strings.HasPrefix(path, "Attributes."), strings.HasPrefix(path, attributesColumn+"."):
			return 2
		}
		return 0
	}
	return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b))
}

// identifier makes a name that a template can use as {{.name}}: letters, digits and underscores, no digit first.
func identifier(path string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, path)
	if first := []rune(name); len(first) == 0 || unicode.IsDigit(first[0]) {
		name = "_" + name
	}
	return name
}
