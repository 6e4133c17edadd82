package endtoend

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"fanmail/local/ses"
	"fanmail/shared/workflow"
)

// row is a recipient in the ledger.
type row struct {
	Seq, Line                         int64
	Address, State, Reason, MessageID string
	Claim                             string
}

func (d *stack) rows(campaign string) []row {
	d.t.Helper()
	rows, _ := d.connect().Query(d.t.Context(), `
		select r.seq, r.line, r.address, r.state, coalesce(r.reason, '') as reason,
		       coalesce(r.message_id, '') as message_id, coalesce(r.claim::text, '') as claim
		from fanmail.recipient r join fanmail.campaign c on c.id = r.campaign_id
		where c.name = $1 order by r.seq`, campaign)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// mailbox is what SES accepted for recipients: without the probes.
func (d *stack) mailbox() (entries []ses.Entry) {
	d.t.Helper()
	var lines bytes.Buffer
	if err := d.SES().Mailbox(&lines); err != nil {
		d.t.Fatal(err)
	}
	for decoder := json.NewDecoder(&lines); ; {
		var entry ses.Entry
		if err := decoder.Decode(&entry); errors.Is(err, io.EOF) {
			return entries
		} else if err != nil {
			d.t.Fatal(err)
		}
		if entry.Tags["fanmail-probe"] != "" {
			continue
		}
		entries = append(entries, entry)
	}
}

// audit holds the ledger of the only campaign against the mailbox, row by row: who is sent has exactly one message, and the
// row knows it; who is claimed, or was dropped then, has at most one; nobody else has any. It returns the rows.
func (d *stack) audit(campaign string) []row {
	d.t.Helper()
	messages := map[string][]ses.Entry{}
	for _, entry := range d.mailbox() {
		if len(entry.To) != 1 {
			d.t.Fatalf("message %s goes to %q", entry.MessageID, entry.To)
		}
		messages[entry.To[0]] = append(messages[entry.To[0]], entry)
	}
	rows := d.rows(campaign)
	if len(rows) == 0 {
		d.t.Error("the ledger is empty")
	}
	for _, r := range rows {
		got := messages[r.Address]
		delete(messages, r.Address)
		switch {
		case r.State == "sent" && len(got) == 1:
			tags := got[0].Tags
			if got[0].MessageID != r.MessageID || tags["fanmail-campaign"] != campaign || tags["fanmail-claim"] != r.Claim || tags["fanmail-seq"] != strconv.FormatInt(r.Seq, 10) {
				d.t.Errorf("the ledger has %+v, the mailbox %+v", r, got[0])
			}
		case (r.State == "claimed" || r.State == "skipped") && len(got) <= 1, r.State != "sent" && len(got) == 0:
		default:
			d.t.Errorf("%s is %s (seq %d, %s) and has %d messages", r.Address, r.State, r.Seq, r.Reason, len(got))
		}
	}
	for address, got := range messages {
		d.t.Errorf("%s is no recipient and has %d messages", address, len(got))
	}
	return rows
}

// auditSent is audit for a campaign all of whose n recipients must have been sent to.
func (d *stack) auditSent(campaign string, r workflow.Report, n int64) {
	d.t.Helper()
	if r.State != "finished" || r.Recipients != n || r.Sent != n {
		d.t.Errorf("want finished with %d sent: %+v", n, r)
	}
	if rows, mails := d.audit(campaign), d.mailbox(); int64(len(rows)) != n || int64(len(mails)) != n {
		d.t.Errorf("the ledger has %d recipients, the mailbox %d messages, want %d", len(rows), len(mails), n)
	}
}

// csv reads a CSV object, its header row apart.
func (d *stack) csv(key string) (header string, lines [][]string) {
	d.t.Helper()
	all, err := csv.NewReader(strings.NewReader(d.get(key))).ReadAll()
	if err != nil || len(all) == 0 {
		d.t.Fatalf("%s has %d lines: %v", key, len(all), err)
	}
	return strings.Join(all[0], ","), all[1:]
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
