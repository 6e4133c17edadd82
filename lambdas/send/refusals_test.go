package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"fanmail/local/ses"
	"fanmail/shared/ledger"
	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

func TestRefusalsInTheSameWordsAreTheCampaignsFault(t *testing.T) {
	// A letter is an outcome: a and b are refused for two reasons, + is accepted, - is not accepted, ? is unknown.
	outcomes := map[rune]mailer.Outcome{
		'a': {Kind: mailer.Refused, Reason: "a"}, 'b': {Kind: mailer.Refused, Reason: "b"}, '+': {Kind: mailer.Accepted},
		'-': {Kind: mailer.NotAccepted, Missed: true}, '?': {Kind: mailer.Unknown},
	}
	ten := strings.Repeat("a", 10)
	thirty := ten + ten + ten
	for _, test := range []struct {
		name   string
		chunks []string
		want   string
	}{
		{"thirty", []string{thirty}, "a"},
		{"twenty-nine", []string{thirty[1:]}, ""},
		{"thirty one by one", strings.Split(thirty, ""), "a"},
		{"with others that prove nothing", []string{"-" + thirty[1:], "?a"}, "a"},
		{"after one for another reason", []string{"b" + thirty}, "a"},
		{"with one for another reason", []string{ten + ten + "b" + ten}, ""},
		{"after an acceptance", []string{"+" + thirty}, ""},
		{"before an acceptance", []string{thirty + "+"}, ""},
		{"forty-nine after an acceptance", []string{"+", ten + ten, thirty[1:]}, ""},
		{"fifty after an acceptance", []string{"+", ten + "-" + ten, thirty}, "a"},
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

// seqOf is the seq of the recipient of a call.
func seqOf(t *testing.T, r *ses.Request) int {
	var seq int
	if _, err := fmt.Sscanf(r.Destination.ToAddresses[0], "r%d@", &seq); err != nil {
		t.Error(err)
	}
	return seq
}

func TestBadAddressesAtTheHeadOfABatchFailAlone(t *testing.T) {
	f := newFixture(t, 60, func(r *ses.Request) ses.Fault {
		if seqOf(t, r) <= alike-1 {
			return ses.Fault{Error: ses.ErrContent}
		}
		return ses.Fault{}
	})
	out, err := f.handler.handle(invocation(t), f.in)
	if err != nil || out != (workflow.SendOutput{Sent: 60 - alike + 1, Failed: alike - 1}) {
		t.Errorf("answer %+v, %v; want all but the first %d sent", out, err, alike-1)
	}
}

func TestRefusalsThatAreTheCampaignsFaultAreTakenBackAlsoWhenSESSuspendsTheAccount(t *testing.T) {
	// The refusals begin in the middle of a chunk, and the last call of the next one suspends the account.
	const accepted, n = 2 * firstChunk, firstChunk + 2*maxChunk
	f := newFixture(t, n, func(r *ses.Request) ses.Fault {
		switch seq := seqOf(t, r); {
		case seq <= accepted:
			return ses.Fault{}
		case seq < n:
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
	if c := f.campaign(t); c.State != ledger.Halted || !strings.Contains(c.Reason, "AccountSuspended") {
		t.Errorf("the campaign is %s because of %q, want it halted by the suspension", c.State, c.Reason)
	}
	if counts := f.counts(t); counts.Sent != accepted || counts.Pending != n-accepted {
		t.Errorf("the ledger has %+v, want all but %d pending", counts, accepted)
	}
	var attempts int
	check(t, f.db.NewRaw("select last_value from attempts").Scan(context.Background(), &attempts))
	if attempts < 2 {
		t.Errorf("%d rows were taken back: this test shows nothing", attempts)
	}
}

func TestAnSESThatDoesNotAnswerPutsFewInDoubt(t *testing.T) {
	f := newFixture(t, 200, func(*ses.Request) ses.Fault { return ses.Fault{LoseAnswer: true, AnswerDelay: 300 * time.Millisecond} })
	check(t, ledger.StartWave(context.Background(), f.db, ledger.Wave{Length: time.Hour, Campaign: f.campaign(t), AccountRate: 500}))
	_, err := f.handler.handle(invocation(t), f.in)
	check(t, err)
	claimed := 0
	for _, state := range f.rows(t, "state") {
		if state == "claimed" {
			claimed++
		}
	}
	if claimed < 2 || claimed > 15 {
		t.Errorf("%d recipients are in doubt, want a first chunk of 10, and then one by one", claimed)
	}
}
