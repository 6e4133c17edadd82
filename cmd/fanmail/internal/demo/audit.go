package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

// Audit holds the mailbox of the local SES, a JSON object per accepted message, against the list and the report: every
// good address has exactly one message, except those that the report counts as not sent, and nobody else has any. The
// error has a line for each kind of difference. Its memory is a hash per address.
func Audit(f folder.Folder, mailbox io.Reader, report workflow.Report) error {
	list, set, err := folder.OpenCampaign(f)
	if err != nil {
		return err
	}
	a := audit{seed: maphash.MakeSeed(), messages: map[uint64]int{}}
	err = list.Each(set.HeaderFields(), func(row folder.Row) error {
		if row.Reject == nil {
			a.messages[maphash.String(a.seed, row.Recipient.Address)] = 0
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.read(mailbox); err != nil {
		return fmt.Errorf("reading the mailbox: %w", err)
	}
	return a.compare(report)
}

type audit struct {
	seed maphash.Seed
	// messages counts the messages of each good address.
	messages         map[uint64]int
	mailed           int64
	doubled, foreign example
}

// example counts, and keeps the first for the reader to look up.
type example struct {
	n     int64
	first string
}

func (e *example) add(s string) {
	if e.n++; e.n == 1 {
		e.first = s
	}
}

func (a *audit) read(mailbox io.Reader) error {
	decoder := json.NewDecoder(mailbox)
	for {
		var entry struct {
			To []string `json:"to"`
		}
		if err := decoder.Decode(&entry); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for _, address := range entry.To {
			hash := maphash.String(a.seed, address)
			before, wanted := a.messages[hash]
			switch {
			case !wanted:
				a.foreign.add(address)
				continue
			case before == 0:
				a.mailed++
			case before == 1:
				a.doubled.add(address)
			}
			a.messages[hash] = before + 1
		}
	}
}

func (a *audit) compare(r workflow.Report) error {
	var differences []error
	differ := func(format string, args ...any) {
		differences = append(differences, fmt.Errorf("the mailbox does not match: "+format, args...))
	}
	if good := int64(len(a.messages)); good != r.Recipients {
		differ("the list has %s good addresses, the report %s recipients", terminal.Number(good), terminal.Number(r.Recipients))
	}
	if a.doubled.n > 0 {
		differ("%s addresses have more than one message, the first is %s", terminal.Number(a.doubled.n), a.doubled.first)
	}
	if a.foreign.n > 0 {
		differ("%s messages went to addresses that are not in the list, the first is %s", terminal.Number(a.foreign.n), a.foreign.first)
	}
	if a.mailed < r.Sent || a.mailed > r.Sent+r.InDoubt {
		differ("%s addresses have a message, the report says that %s were sent and %s are in doubt",
			terminal.Number(a.mailed), terminal.Number(r.Sent), terminal.Number(r.InDoubt))
	}
	return errors.Join(differences...)
}
