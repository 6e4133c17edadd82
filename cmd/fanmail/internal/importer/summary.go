package importer

import (
	"cmp"
	"slices"
)

// Summary counts the records of an import. Read = Written + OptedOut + OtherChannel + Inactive + Invalid + Duplicates.
type Summary struct {
	Folder  string `json:"folder"`
	Read    int64  `json:"read"`
	Written int64  `json:"written"`
	// Listed is the number of addresses in optouts.csv.
	Listed       int64    `json:"listed"`
	OptedOut     Groups   `json:"optedOut"`
	OtherChannel Groups   `json:"otherChannel"`
	Inactive     Groups   `json:"inactive"`
	Invalid      Groups   `json:"invalid"`
	Duplicates   Groups   `json:"duplicates"`
	Columns      []Column `json:"columns"`
	// Starter says that there was no campaign.yaml, and one was written to begin with.
	Starter bool `json:"starter"`
}

// Groups count records by the reason why they were left out.
type Groups []*Group

// Group is one reason, with the first record that has it.
type Group struct {
	Reason  string `json:"reason"`
	Count   int64  `json:"count"`
	File    string `json:"firstFile"`
	Line    int    `json:"firstLine"`
	Address string `json:"firstAddress"`
}

// maxGroups bounds a table whose reasons quote values.
const maxGroups = 50

func newSummary(o Options, columns []Column) *Summary {
	return &Summary{Folder: o.Folder, Columns: columns,
		OptedOut: Groups{}, OtherChannel: Groups{}, Inactive: Groups{}, Invalid: Groups{}, Duplicates: Groups{}}
}

func (g *Groups) add(reason string, r record, address string) {
	if len(*g) >= maxGroups && g.find(reason) == nil {
		reason = "other reasons"
	}
	group := g.find(reason)
	if group == nil {
		group = &Group{Reason: reason, File: r.file, Line: r.line, Address: address}
		*g = append(*g, group)
	}
	group.Count++
}

func (g *Groups) find(reason string) *Group {
	for _, group := range *g {
		if group.Reason == reason {
			return group
		}
	}
	return nil
}

// Total is the number of records in all groups.
func (g Groups) Total() (n int64) {
	for _, group := range g {
		n += group.Count
	}
	return n
}

// Sorted puts the most frequent first.
func (g Groups) Sorted() Groups {
	return slices.SortedStableFunc(slices.Values(g), func(a, b *Group) int { return cmp.Compare(b.Count, a.Count) })
}
