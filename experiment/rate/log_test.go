package main

import (
	"strings"
	"testing"
	"time"
)

// messages are those of a campaign, every millisecond of at.
func messages(campaign string, at ...int) []accepted {
	var log []accepted
	for _, ms := range at {
		log = append(log, accepted{at: time.UnixMilli(int64(ms)), campaign: campaign, to: campaign})
	}
	return log
}

func TestEveryWindowOfASecondIsCounted(t *testing.T) {
	log := messages("a", 0, 500, 999, 1000, 1400, 1499, 2600)
	w := countWindows(log, 4)
	if w.Most != 5 || w.Over != 1 || w.Windows != len(log) || !w.Busiest.Equal(time.UnixMilli(500)) {
		t.Errorf("%+v; want 5 messages from 500 ms on, and no other window with more than 4", w)
	}
}

func TestTheRateIsThatOfTheTimeInWhichAllCampaignsSend(t *testing.T) {
	var first, second []int
	for ms := 0; ms <= 20_000; ms += 10 {
		first = append(first, ms)
	}
	for ms := 5_000; ms <= 30_000; ms += 10 {
		second = append(second, ms)
	}
	log := append(messages("first", first...), messages("second", second...)...)
	if rate, length := steadyRate(log, "first", "second"); rate != 200 || length != 11*time.Second {
		t.Errorf("%v per second for %v, want 200 for the 11 s from 7 to 18", rate, length)
	}
	if rate, length := steadyRate(messages("first", 0, 1000), "first", "second"); rate != 0 || length != 0 {
		t.Errorf("%v per second for %v, want nothing of a campaign that has sent nothing", rate, length)
	}
}

func TestMailsAreCountedByRecipient(t *testing.T) {
	mailed, doubled := countMails(append(messages("a", 0, 1, 2), messages("b", 3)...))
	if mailed != 2 || doubled != 1 {
		t.Errorf("%d mailed, %d doubled; want 2 and 1", mailed, doubled)
	}
}

func TestWhatIsNotAsItShouldBeIsAProblem(t *testing.T) {
	good := Result{Recipients: 1000, Limit: 200, Senders: 20, WantedSenders: 20, Mailed: 2000, windows: windows{Most: 200}, Rate: 195}
	for want, change := range map[string]func(*Result){
		"":                           func(*Result) {},
		"1999 were mailed":           func(r *Result) { r.Mailed = 1999 },
		"mailed more than once":      func(r *Result) { r.Doubled = 1 },
		"201 messages in one second": func(r *Result) { r.Most, r.Over = 201, 1 },
		"SES throttled 1":            func(r *Result) { r.Refused = 1 },
		"the rate is 193.9":          func(r *Result) { r.Rate = 193.9 },
		"the rate is 206.1":          func(r *Result) { r.Rate = 206.1 },
		"only 19 senders":            func(r *Result) { r.Senders = 19 },
	} {
		r := good
		change(&r)
		problems := r.Problems()
		if want == "" && len(problems) > 0 || want != "" && (len(problems) != 1 || !strings.Contains(problems[0], want)) {
			t.Errorf("problems %q, want one with %q", problems, want)
		}
	}
}
