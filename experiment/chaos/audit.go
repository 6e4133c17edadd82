package main

import (
	"fmt"
	"strconv"

	"fanmail/local/ses"
	"fanmail/shared/mailer"
)

// maxNamed is how many findings of a run are named.
const maxNamed = 20

// Findings are what does not agree. They must all be empty.
type Findings struct {
	// Lost are on the list and not in the mailbox, Doubled more than once in it, Strangers in it and not on the list.
	Lost      int64 `json:"lost"`
	Doubled   int64 `json:"doubled"`
	Strangers int64 `json:"strangers"`
	// InDoubt are held in doubt by the ledger.
	InDoubt int64 `json:"inDoubt"`
	// Disagreements are recipients of whom the ledger says something else than the mailbox, or who are missing in it.
	Disagreements int64 `json:"disagreements"`
	// Named are sentences about the first of them.
	Named []string `json:"named,omitempty"`
}

func (f *Findings) note(count *int64, format string, args ...any) {
	*count++
	if len(f.Named) < maxNamed {
		f.Named = append(f.Named, fmt.Sprintf(format, args...))
	}
}

// audit holds the list, the mailbox without probes, and the ledger against each other. tag is the campaign's.
func audit(list []string, mailbox []ses.Entry, ledger []row, tag string) Findings {
	var f Findings
	mails := make(map[string][]ses.Entry, len(list))
	for _, m := range mailbox {
		if len(m.To) != 1 {
			f.note(&f.Strangers, "message %s is to %q", m.MessageID, m.To)
			continue
		}
		mails[m.To[0]] = append(mails[m.To[0]], m)
	}
	rows := make(map[string]row, len(ledger))
	for _, r := range ledger {
		rows[r.Address] = r
	}
	listed := make(map[string]bool, len(list))
	for _, address := range list {
		listed[address] = true
		switch got := mails[address]; {
		case len(got) == 0:
			f.note(&f.Lost, "%s has no mail; the ledger: %+v", address, rows[address])
		case len(got) > 1:
			f.note(&f.Doubled, "%s has %d mails: %+v; the ledger: %+v", address, len(got), got, rows[address])
		}
		if _, ok := rows[address]; !ok {
			f.note(&f.Disagreements, "%s is not in the ledger", address)
		}
	}
	for address, got := range mails {
		if !listed[address] {
			f.note(&f.Strangers, "%s is not on the list, and has %d mails", address, len(got))
		}
	}
	for _, r := range ledger {
		if r.InDoubt {
			f.note(&f.InDoubt, "%s is in doubt, and has %d mails: %+v", r.Address, len(mails[r.Address]), r)
		}
		if problem := disagreement(r, mails[r.Address], listed[r.Address], tag); problem != "" {
			f.note(&f.Disagreements, "%s: %s; the ledger: %+v; the mailbox: %+v", r.Address, problem, r, mails[r.Address])
		}
	}
	return f
}

// disagreement tells what is wrong with a row of the ledger; "" if nothing is.
func disagreement(r row, mails []ses.Entry, listed bool, tag string) string {
	switch {
	case !listed:
		return "the ledger has somebody who is not on the list"
	case r.State != "sent" && len(mails) > 0:
		return "mailed, but the ledger does not say sent"
	case r.State != "sent":
		return ""
	case len(mails) != 1:
		return fmt.Sprintf("the ledger says sent, the mailbox has %d messages", len(mails))
	}
	m := mails[0]
	for _, c := range []struct{ what, ledger, mailbox string }{
		{"message id", r.MessageID, m.MessageID},
		{"claim", r.Claim, m.Tags[mailer.TagClaim]},
		{"seq", strconv.FormatInt(r.Seq, 10), m.Tags[mailer.TagSeq]},
		{"campaign", campaignName, m.Tags[mailer.TagCampaign]},
		{"campaign's tag", tag, m.Tags[mailer.TagID]},
	} {
		if c.ledger != c.mailbox {
			return fmt.Sprintf("the ledger has the %s %q, the mailbox %q", c.what, c.ledger, c.mailbox)
		}
	}
	if !r.Confirmed {
		return "no event of it has come"
	}
	return ""
}
