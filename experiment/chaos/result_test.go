package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/local/faults"
)

// good is a result that shows what it is to show.
func good() *Result {
	return &Result{
		Recipients: 10_000, Rate: 250, Seed: 7, Machine: "2 processors", WantedKills: 50, WantedRestarts: 2, Mails: 10_000, Restarts: 2,
		Faults: faults.Counts{
			Kills: 51, Terminations: 9, Throttles: 550, InternalErrors: 210, LostAnswers: 120, EventsDoubled: 2000, EventsDelayed: 20_000, DeliveredTwice: 2100,
		},
		DoubtSettled: 310, DoubtDisproved: 1450, Executions: 4, Failures: []string{"CampaignStuck: no progress"}, Waves: 11, Seconds: 61.25,
		Transitions: []Transition{{"[*]", "pending", 1000, true}, {"claimed", "sent", 1000, true}},
	}
}

func TestProblemsNameWhatWasNotShown(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Result)
		want   []string
	}{
		"none":          {func(*Result) {}, nil},
		"lost":          {func(r *Result) { r.Lost = 1 }, []string{"1 recipients were not mailed"}},
		"doubled":       {func(r *Result) { r.Doubled = 2 }, []string{"2 recipients were mailed more than once"}},
		"strangers":     {func(r *Result) { r.Strangers = 2 }, []string{"2 messages are to nobody"}},
		"in doubt":      {func(r *Result) { r.InDoubt = 2 }, []string{"2 recipients are held"}},
		"disagree":      {func(r *Result) { r.Disagreements, r.Named = 1, []string{"he"} }, []string{"the ledger and the mailbox disagree", "he"}},
		"dead letters":  {func(r *Result) { r.DeadLetters = 2 }, []string{"2 events ended"}},
		"no such arrow": {func(r *Result) { r.Transitions[1].Drawn = false }, []string{"1000 recipients went claimed --> sent"}},
		"not watched":   {func(r *Result) { r.Transitions = nil }, []string{"no change"}},
		"few kills":     {func(r *Result) { r.Faults.Kills = 49 }, []string{"the campaign ended after 49 of 50 kills"}},
		"few restarts":  {func(r *Result) { r.Restarts = 1 }, []string{"the campaign ended after 1 of 2 restarts"}},
		"few throttles": {func(r *Result) { r.Faults.Throttles = 387 }, []string{"there were 387 throttles, at least 388"}},
		"few errors":    {func(r *Result) { r.Faults.InternalErrors = 128 }, []string{"there were 128 internal errors"}},
		"few lost":      {func(r *Result) { r.Faults.LostAnswers = 49 }, []string{"there were 49 lost answers"}},
		"few doubled":   {func(r *Result) { r.Faults.EventsDoubled = 840 }, []string{"there were 840 doubled events"}},
		"few delivered": {func(r *Result) { r.Faults.DeliveredTwice = 840 }, []string{"there were 840 doubled deliveries"}},
		"none late":     {func(r *Result) { r.Faults.EventsDelayed = 0 }, []string{"no event was late"}},
		"no session":    {func(r *Result) { r.Faults.Terminations = 0 }, []string{"no database session"}},
		"none settled":  {func(r *Result) { r.DoubtSettled = 0 }, []string{"nobody was in doubt until an SES event"}},
		"none proved":   {func(r *Result) { r.DoubtDisproved = 0 }, []string{"nobody was in doubt until it was proved"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			c.change(r)
			if got := r.Problems(); !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOfManyThatAreExpectedSomeAreDemanded(t *testing.T) {
	for expected, want := range map[float64]int64{0: 0, 9.9: 0, 10: 1, 25: 1, 30: 2, 500: 388} {
		if got := least(expected); got != want {
			t.Errorf("%v expected: at least %d are demanded, want %d", expected, got, want)
		}
	}
}

func TestTheTableTellsEverything(t *testing.T) {
	var b strings.Builder
	r := good()
	r.Transitions[1].Drawn = false
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	want := `recipients                     10,000
mails                          10,000
lost                           0
mailed twice                   0
strangers                      0
in doubt                       0
ledger and mailbox disagree    0
senders killed                 51
runtime killed and restarted   2
throttles                      550
internal errors of SES         210
lost answers of SES            120
database sessions terminated   9
events delayed                 20,000
events doubled                 2,000
deliveries doubled             2,100
in doubt until an event came   310
in doubt until disproved       1,450
executions started             4
waves                          11
seconds                        61.2

changes of a recipient's state
[*] --> pending    1,000   in the diagram
claimed --> sent   1,000   NOT in the diagram
started again after: CampaignStuck: no progress

2 processors; SES at 250 recipients per second; seed 7
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestCountsOfAllLivesAreAddedUp(t *testing.T) {
	var a, want faults.Counts
	for i := range reflect.TypeFor[faults.Counts]().NumField() {
		reflect.ValueOf(&a).Elem().Field(i).SetInt(int64(i + 1))
		reflect.ValueOf(&want).Elem().Field(i).SetInt(int64(2*i + 2))
	}
	if got := sum(a, a); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
