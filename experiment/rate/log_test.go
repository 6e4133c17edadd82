package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fanmail/experiment"
	"fanmail/local/ses"
	"fanmail/shared/mailer"
)

// messages are those of a campaign, every millisecond of at.
func messages(campaign string, at ...int) []ses.Entry {
	var log []ses.Entry
	for _, ms := range at {
		log = append(log, ses.Entry{Time: time.UnixMilli(int64(ms)), To: []string{campaign}, Tags: map[string]string{mailer.TagCampaign: campaign}})
	}
	return log
}

// from is the log with another caller.
func from(caller string, log []ses.Entry) []ses.Entry {
	for i := range log {
		log[i].Caller = caller
	}
	return log
}

// probe is a probe of a campaign.
func probe(campaign string, at int) []ses.Entry {
	log := from("plan", messages(campaign, at))
	log[0].Tags[mailer.TagProbe] = "1"
	return log
}

func TestTheLogIsInTheOrderOfTimeAndOfCampaignsOnly(t *testing.T) {
	log, err := belonging(slices.Concat(messages("a", 2, 1), probe("a", 3), messages("b", 0)))
	if err != nil || len(log) != 4 || !slices.IsSortedFunc(log, func(a, b ses.Entry) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("%+v, %v", log, err)
	}
	if _, err := belonging([]ses.Entry{{MessageID: "stray"}}); err == nil || !strings.Contains(err.Error(), "stray") {
		t.Errorf("a message of no campaign: %v", err)
	}
}

func TestWindowsCountProbesAndMailsDoNot(t *testing.T) {
	log := of(slices.Concat(messages("a", 0), probe("a", 1), messages("b", 2), messages("c", 3)), "a", "b")
	mailed, doubled := experiment.Mailed(log)
	if w := countWindows(log, 9); w.Most != 3 || mailed != 2 || doubled != 0 {
		t.Errorf("%d messages in one second, %d mailed, %d doubled; want 3, 2 and 0", w.Most, mailed, doubled)
	}
}

func TestSendersAreToldApartByTheirCallsAndPlanIsNone(t *testing.T) {
	log := slices.Concat(from("one", messages("a", 0, 1)), from("two", messages("a", 2)), from("one", messages("b", 3)), probe("b", 4))
	if got := callers(log); got != 2 {
		t.Errorf("%d senders, want 2", got)
	}
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

func TestWhatIsNotAsItShouldBeIsAProblem(t *testing.T) {
	good := Result{Recipients: 1000, Limit: 200, Senders: 20, WantedSenders: 20, Mailed: 2000, windows: windows{Most: 200}, Rate: 195, SteadySeconds: 6}
	for want, change := range map[string]func(*Result){
		"":                           func(*Result) {},
		"1999 were mailed":           func(r *Result) { r.Mailed = 1999 },
		"mailed more than once":      func(r *Result) { r.Doubled = 1 },
		"201 messages in one second": func(r *Result) { r.Most, r.Over = 201, 1 },
		"SES throttled 1":            func(r *Result) { r.Refused = 1 },
		"the rate is 193.9":          func(r *Result) { r.Rate = 193.9 },
		"the rate is 206.1":          func(r *Result) { r.Rate = 206.1 },
		"of 5.9 seconds, it takes 6": func(r *Result) { r.SteadySeconds = 5.9 },
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
