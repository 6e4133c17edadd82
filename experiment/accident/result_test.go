package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/experiment"
)

// good is a result that shows what it is to show.
func good() *Result {
	sample := []Sample{{Seconds: 1}}
	return &Result{Recipients: 1000, MaxConnections: 60, LatencyMilliseconds: 20, Machine: "2 processors", Halves: []Half{
		{Name: naiveName, Server: "17.2", Slots: 57, Mailed: 300, Recorded: 300, Refused: 40, Said: map[string]int{"sorry": 30, "remaining": 10},
			Invocations: 1100, FailedInvocations: 40, Before: 1, Peak: 55, End: 55, Environments: 201, Seconds: 12.34, Visits: 20, TurnedAway: 15, LongestGap: 0.3, Samples: sample},
		{Name: fanmailName, Server: "17.2", Slots: 57, Mailed: 1000, Recorded: 1000, Invocations: 20, Before: 1, Peak: 14, End: 14, Bound: 18, Senders: 10,
			Environments: 14, Seconds: 9.5, Visits: 18, LongestGap: 0.1, Samples: sample},
	}}
}

func TestProblemsNameWhatWasNotShown(t *testing.T) {
	const naive, ours = 0, 1
	for name, c := range map[string]struct {
		change func(*Result)
		want   []string
	}{
		"none":                 {func(*Result) {}, nil},
		"fanmail only":         {func(r *Result) { r.Halves = r.Halves[1:] }, nil},
		"naive only":           {func(r *Result) { r.Halves = r.Halves[:1] }, nil},
		"naive never refused":  {func(r *Result) { r.Halves[naive].Refused = 0 }, []string{"naive: no connection was refused"}},
		"naive mailed all":     {func(r *Result) { r.Halves[naive].Mailed = 1000 }, []string{"naive: everybody was mailed"}},
		"at the bound":         {func(r *Result) { r.Halves[ours].Peak = 18 }, nil},
		"beyond the bound":     {func(r *Result) { r.Halves[ours].Peak = 19 }, []string{"fanmail: 19 connections in one sample, but the bound is 18"}},
		"refused":              {func(r *Result) { r.Halves[ours].Refused = 1 }, []string{"fanmail: 1 connections were refused"}},
		"one lost":             {func(r *Result) { r.Halves[ours].Mailed = 999 }, []string{"fanmail: of 1000 recipients 999 were mailed, and the ledger says 1000"}},
		"one not recorded":     {func(r *Result) { r.Halves[ours].Recorded = 999 }, []string{"fanmail: of 1000 recipients 1000 were mailed, and the ledger says 999"}},
		"one doubled":          {func(r *Result) { r.Halves[ours].Doubled = 1 }, []string{"fanmail: 1 recipients were mailed more than once"}},
		"as many as may stay":  {func(r *Result) { r.Halves[ours].End, r.Halves[ours].Before = 17, 4 }, nil},
		"one more stays":       {func(r *Result) { r.Halves[ours].End, r.Halves[ours].Before = 20, 4 }, []string{"fanmail: 4 connections before and 20 at the end"}},
		"others turned away":   {func(r *Result) { r.Halves[ours].TurnedAway = 2 }, []string{"fanmail: another user of the database was turned away 2 times"}},
		"nothing was measured": {func(r *Result) { r.Halves[naive].Samples = nil }, []string{"naive: there is no sample"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			c.change(r)
			got := r.Problems()
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSamplesGiveBeforePeakEndAndGap(t *testing.T) {
	var h Half
	h.setSamples([]Sample{{-0.2, 3, 1, 0}, {-0.1, 2, 1, 0}, {0.1, 40, 50, 7}, {0.5, 55, 90, 30}, {0.6, 20, 90, 31}})
	if h.Before != 2 || h.Peak != 55 || h.End != 20 || h.Refused != 31 || h.LongestGap != 0.4 {
		t.Errorf("got %+v", h)
	}
}

func TestTheTableStandsSideBySide(t *testing.T) {
	var b strings.Builder
	if err := good().WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	want := `                          naive senders           Fanmail
recipients                1,000                   1,000
mailed                    300                     1,000
never mailed              700                     0
mailed twice              0                       0
connection errors         40                      0
failed invocations        40 of 1,100             0 of 20
connections before        1                       1
connections at most       55 of 57 slots          14, bound 18
connections at the end    55                      14
environments              201                     14
other users turned away   15 of 20 visits         0 of 18 visits
seconds                   12.3                    9.5
samples                   1, longest gap 0.30 s   1, longest gap 0.10 s

naive senders: PostgreSQL said 10 times: "remaining"
naive senders: PostgreSQL said 30 times: "sorry"
2 processors; SES answers after 20 ms; PostgreSQL 17.2 with max_connections 60
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestNumberGroupsDigits(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := experiment.Number(n); got != want {
			t.Errorf("%d: got %s", n, got)
		}
	}
}
