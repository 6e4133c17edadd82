package main

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"fanmail/local/ses"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
)

func TestRefusalsInTheSameWordsAreTheCampaignsFault(t *testing.T) {
	// A letter is an outcome: a and b are refused for two reasons, + is accepted, - is not accepted, ? is unknown.
	outcomes := map[rune]mailer.Outcome{
		'a': {Kind: mailer.Refused, Reason: "a"}, 'b': {Kind: mailer.Refused, Reason: "b"}, '+': {Kind: mailer.Accepted},
		'-': {Kind: mailer.NotAccepted, Missed: true}, '?': {Kind: mailer.Unknown},
	}
	ten := strings.Repeat("a", 10)
	for _, test := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{"ten", []string{ten}, "a"},
		{"nine", []string{ten[1:]}, ""},
		{"ten one by one", strings.Split(ten, ""), "a"},
		{"with others that prove nothing", []string{"aaaa-a", "a?aaa-a"}, "a"},
		{"after one for another reason", []string{"b" + ten}, "a"},
		{"with one for another reason", []string{"aaaaabaaaaa"}, ""},
		{"after an acceptance", []string{"+" + ten}, ""},
		{"before an acceptance", []string{ten + "+"}, ""},
		{"forty-nine after an acceptance", []string{"+", ten + ten, ten + ten + ten[1:]}, ""},
		{"fifty after an acceptance", []string{"+", ten + "-" + ten, ten + ten + ten}, "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r refusals
			var got string
			for _, letters := range test.chunks {
				chunk := mailer.Chunk{Claim: uuid.New(), Recipients: make([]mailer.Recipient, len(letters))}
				var list []mailer.Outcome
				for _, letter := range letters {
					list = append(list, outcomes[letter])
				}
				got = r.add(chunk, list)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRefusalsThatAreTheCampaignsFaultAreTakenBackAlsoWhenSESSuspendsTheAccount(t *testing.T) {
	// SES accepts the first chunk, refuses fifty more in the same words, and suspends the account at the last.
	const n = firstChunk + alikeLater + 10
	var calls atomic.Int64
	f := newFixture(t, n, func(*ses.Request) ses.Fault {
		switch call := calls.Add(1); {
		case call <= firstChunk:
			return ses.Fault{}
		case call < n:
			return ses.Fault{Error: ses.ErrContent}
		}
		return ses.Fault{Error: ses.ErrSuspended}
	})
	// The session of the first attempt to take them back is ended.
	f.exec(t, "create sequence attempts")
	f.exec(t, `create function die_once() returns trigger language plpgsql as $$ begin
		if nextval('attempts') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if;
		return new; end $$`)
	f.exec(t, "create trigger die_once before update on fanmail.recipient for each row when (old.state = 'failed') execute function die_once()")
	_, err := f.handler.handle(invocation(t), f.in)
	check(t, err)
	if c, counts := f.campaign(t), f.counts(t); c.State != ledger.Halted || counts.Sent != firstChunk || counts.Pending != n-firstChunk {
		t.Errorf("the campaign is %s because of %q, the ledger has %+v; want it halted and all but %d pending", c.State, c.Reason, counts, firstChunk)
	}
}

func TestAnSESThatDoesNotAnswerPutsFewInDoubt(t *testing.T) {
	f := newFixture(t, 200, func(*ses.Request) ses.Fault { return ses.Fault{LoseAnswer: true} })
	check(t, ledger.StartWave(context.Background(), f.db, ledger.Wave{Length: time.Hour, Campaign: f.campaign(t), AccountRate: 500}))
	_, err := f.handler.handle(invocation(t), f.in)
	check(t, err)
	claimed := 0
	for state := range slices.Values(f.rows(t, "state")) {
		if state == "claimed" {
			claimed++
		}
	}
	if claimed > firstChunk+maxUnsettled {
		t.Errorf("%d recipients are in doubt, want a first chunk, and then one by one: %d at most", claimed, firstChunk+maxUnsettled)
	}
}
