package bench

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fanmail/local"
)

// Statement is a kind of SQL statement that the campaign ran.
type Statement struct {
	Query       string  `json:"query"`
	Calls       int64   `json:"calls"`
	PerThousand float64 `json:"per1000Recipients"`
	Seconds     float64 `json:"seconds"`
}

// Statements are all SQL statements of the campaign, those that took the database longest first.
type Statements struct {
	Calls       int64       `json:"calls"`
	PerThousand float64     `json:"per1000Recipients"`
	Seconds     float64     `json:"seconds"`
	Kinds       []Statement `json:"kinds"`
}

// countStatements takes the difference of two counts.
func (r *Result) countStatements(before, after []local.Statement) {
	earlier := map[int64]local.Statement{}
	for _, s := range before {
		earlier[s.ID] = s
	}
	thousands := float64(r.Recipients) / 1000
	all := &Statements{}
	for _, s := range after {
		calls, spent := s.Calls-earlier[s.ID].Calls, s.Time-earlier[s.ID].Time
		if calls <= 0 {
			continue
		}
		all.Calls += calls
		all.Seconds += spent.Seconds()
		all.Kinds = append(all.Kinds, Statement{
			Query: strings.Join(strings.Fields(s.Query), " "), Calls: calls, PerThousand: float64(calls) / thousands,
			Seconds: spent.Round(time.Microsecond).Seconds(),
		})
	}
	all.PerThousand = float64(all.Calls) / thousands
	slices.SortFunc(all.Kinds, func(a, b Statement) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Query, b.Query))
	})
	r.Statements = all
}
