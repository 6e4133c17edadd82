package main

import (
	"strings"
	"testing"

	"fanmail/local/ses"
)

const tag = "0c5b0a3e-6a0e-4b52-8a70-0d5f4c7c2a11"

// agreed is a mailbox and a ledger of two recipients without a fault.
func agreed() (list []string, mailbox []ses.Entry, ledger []row) {
	list = addresses(2)
	for i, address := range list {
		id, claim := "id-"+address, "claim-"+address
		mailbox = append(mailbox, ses.Entry{MessageID: id, To: []string{address}, Tags: map[string]string{
			"fanmail-campaign": campaignName, "fanmail-id": tag, "fanmail-seq": string(rune('1' + i)), "fanmail-claim": claim,
		}})
		ledger = append(ledger, row{Seq: int64(i + 1), Address: address, State: "sent", Claim: claim, MessageID: id, Confirmed: true})
	}
	return list, mailbox, ledger
}

func TestTheAuditFindsWhatDisagrees(t *testing.T) {
	for name, c := range map[string]struct {
		change func(mailbox *[]ses.Entry, ledger *[]row)
		want   Findings
		named  string
	}{
		"nothing": {func(*[]ses.Entry, *[]row) {}, Findings{}, ""},
		"one lost": {func(m *[]ses.Entry, r *[]row) {
			*m = (*m)[1:]
			(*r)[0] = row{Seq: 1, Address: (*r)[0].Address, State: "pending"}
		}, Findings{Lost: 1}, "has no mail"},
		"one vanish": {func(m *[]ses.Entry, _ *[]row) { *m = (*m)[1:] }, Findings{Lost: 1, Disagreements: 1}, "says sent, the mailbox has 0"},
		"doubled":    {func(m *[]ses.Entry, _ *[]row) { *m = append(*m, (*m)[1]) }, Findings{Doubled: 1, Disagreements: 1}, "has 2 mails"},
		"stranger": {func(m *[]ses.Entry, _ *[]row) { *m = append(*m, ses.Entry{To: []string{"who@example.com"}}) },
			Findings{Strangers: 1}, "who@example.com is not on the list"},
		"to two at once": {func(m *[]ses.Entry, _ *[]row) {
			*m = append(*m, ses.Entry{To: []string{"a@example.com", "b@example.com"}})
		},
			Findings{Strangers: 1}, `is to ["a@example.com" "b@example.com"]`},
		"in doubt, mailed": {func(_ *[]ses.Entry, r *[]row) { (*r)[0].State, (*r)[0].InDoubt = "claimed", true },
			Findings{InDoubt: 1, Disagreements: 1}, "is in doubt, and has 1 mails"},
		"mailed, not sent":  {func(_ *[]ses.Entry, r *[]row) { (*r)[0].State = "pending" }, Findings{Disagreements: 1}, "does not say sent"},
		"another message":   {func(_ *[]ses.Entry, r *[]row) { (*r)[0].MessageID = "x" }, Findings{Disagreements: 1}, `the message id "x"`},
		"another claim":     {func(_ *[]ses.Entry, r *[]row) { (*r)[0].Claim = "x" }, Findings{Disagreements: 1}, `the claim "x"`},
		"another seq":       {func(m *[]ses.Entry, _ *[]row) { (*m)[0].Tags["fanmail-seq"] = "7" }, Findings{Disagreements: 1}, `the mailbox "7"`},
		"another campaign":  {func(m *[]ses.Entry, _ *[]row) { (*m)[0].Tags["fanmail-campaign"] = "x" }, Findings{Disagreements: 1}, `the mailbox "x"`},
		"another tag":       {func(m *[]ses.Entry, _ *[]row) { (*m)[0].Tags["fanmail-id"] = "x" }, Findings{Disagreements: 1}, `the mailbox "x"`},
		"no event":          {func(_ *[]ses.Entry, r *[]row) { (*r)[0].Confirmed = false }, Findings{Disagreements: 1}, "no event"},
		"not in the ledger": {func(_ *[]ses.Entry, r *[]row) { *r = (*r)[1:] }, Findings{Disagreements: 1}, "is not in the ledger"},
		"only in the ledger": {func(_ *[]ses.Entry, r *[]row) { *r = append(*r, row{Address: "x@example.com"}) },
			Findings{Disagreements: 1}, "not on the list"},
	} {
		t.Run(name, func(t *testing.T) {
			list, mailbox, ledger := agreed()
			c.change(&mailbox, &ledger)
			got := audit(list, mailbox, ledger, tag)
			named := strings.Join(got.Named, "\n")
			if got.Named = nil; got.Lost != c.want.Lost || got.Doubled != c.want.Doubled || got.Strangers != c.want.Strangers ||
				got.InDoubt != c.want.InDoubt || got.Disagreements != c.want.Disagreements {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if !strings.Contains(named, c.named) || (c.named == "") != (named == "") {
				t.Errorf("named %q, want %q", named, c.named)
			}
		})
	}
}

func TestFindingsNameTheFirstAndCountAll(t *testing.T) {
	f := audit(addresses(100), nil, nil, tag)
	if f.Lost != 100 || f.Disagreements != 100 || len(f.Named) != maxNamed {
		t.Errorf("%d lost, %d disagree, %d named", f.Lost, f.Disagreements, len(f.Named))
	}
}
