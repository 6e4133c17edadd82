package folder

import (
	"maps"
	"slices"
	"strings"

	"fanmail/shared/recipients"
)

// Group counts rows that have the same trouble, with the first of them as an example.
type Group struct {
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
	Line   int    `json:"firstLine"`
	Email  string `json:"firstEmail"`
	Detail string `json:"firstDetail,omitempty"`
}

// Gap counts the good rows in which a column is empty.
type Gap struct {
	Column string `json:"column"`
	Count  int64  `json:"count"`
	Line   int    `json:"firstLine"`
}

// maxGroups bounds a table whose reasons quote values; the rows of further reasons are counted under one name.
const maxGroups = 50

type groups map[string]*Group

func (g groups) add(reason string, line int, email, detail string) {
	if g[reason] == nil && len(g) >= maxGroups {
		reason, detail = "other reasons", ""
	}
	if g[reason] == nil {
		g[reason] = &Group{Reason: reason, Line: line, Email: email, Detail: detail}
	}
	g[reason].Count++
}

// sorted puts the most frequent first.
func (g groups) sorted() []Group {
	all := make([]Group, 0, len(g))
	for _, group := range g {
		all = append(all, *group)
	}
	slices.SortFunc(all, func(a, b Group) int {
		if a.Count != b.Count {
			return int(b.Count - a.Count)
		}
		return a.Line - b.Line
	})
	return all
}

type gaps map[string]*Gap

// add notes the columns that are expected and empty.
func (g gaps) add(expected []string, row recipients.Recipient) {
	for _, column := range expected {
		if strings.TrimSpace(row.Fields[column]) != "" {
			continue
		}
		if g[column] == nil {
			g[column] = &Gap{Column: column, Line: row.Line}
		}
		g[column].Count++
	}
}

func (g gaps) sorted() []Gap {
	all := make([]Gap, 0, len(g))
	for _, column := range slices.Sorted(maps.Keys(g)) {
		all = append(all, *g[column])
	}
	return all
}
