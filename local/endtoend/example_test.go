package endtoend

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fanmail/examples"
	"fanmail/local"
	"fanmail/shared/workflow"
)

func TestTheExampleIsMailedOnceToEachGoodAddress(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	campaign := examples.SpringSaleName
	d.upload(campaign, example())
	r := d.succeed(d.start(campaign))

	// What the list holds on purpose.
	const good = 197
	rejected := map[string]int64{"not an address": 4, "wrong number of columns": 2, "duplicate": 2, "no address": 1, "misplaced quote": 1}
	d.auditSent(campaign, r, good)
	if r.Rejected != 10 || !maps.Equal(r.RejectedByReason, rejected) || r.Waves != 1 || r.Batches < 1 || r.Reason != "sent" {
		t.Errorf("report: %+v", r)
	}
	if r.StartedAt.IsZero() || r.EndedAt.Before(r.StartedAt) {
		t.Errorf("started at %s, ended at %s", r.StartedAt, r.EndedAt)
	}

	var stored workflow.Report
	if err := json.Unmarshal([]byte(d.get("reports/spring-sale/report.json")), &stored); err != nil || !reflect.DeepEqual(stored, r) {
		t.Errorf("report.json differs from the execution's output: %+v, %v", stored, err)
	}
	status := d.status(campaign)
	status.Outcomes, status.Rejects = r.Outcomes, r.Rejects
	// Events that came since are no difference.
	if status.Confirmed < r.Confirmed || status.Delivered < r.Delivered {
		t.Errorf("the status has fewer events than the report: %+v", status)
	}
	status.Confirmed, status.Delivered = r.Confirmed, r.Delivered
	if !reflect.DeepEqual(status, r) {
		t.Errorf("the status differs from the report: %+v", status)
	}

	header, outcomes := d.csv(r.Outcomes.Key)
	if header != "seq,line,email,state,reason,messageId,settledAt" || len(outcomes) != good {
		t.Fatalf("%s: %s and %d lines", r.Outcomes.Key, header, len(outcomes))
	}
	source := strings.Split(example()["recipients.csv"], "\n")
	for i, recipient := range d.rows(campaign) {
		line := outcomes[i]
		if want := []string{number(recipient.Seq), number(recipient.Line), recipient.Address, "sent", "", recipient.MessageID}; !slices.Equal(line[:6], want) {
			t.Errorf("outcomes.csv has %q, the ledger %q", line[:6], want)
		}
		if _, err := time.Parse(time.RFC3339, line[6]); err != nil {
			t.Error(err)
		}
		name, _, _ := strings.Cut(recipient.Address, "@")
		if recipient.Seq != int64(i+1) || !strings.Contains(strings.ToLower(source[recipient.Line-1]), strings.ToLower(name)) {
			t.Errorf("recipient %d, %s, is said to stand on line %d: %s", recipient.Seq, recipient.Address, recipient.Line, source[recipient.Line-1])
		}
	}

	header, rejects := d.csv(r.Rejects.Key)
	if header != "line,email,reason,detail" {
		t.Errorf("%s has the header %s", r.Rejects.Key, header)
	}
	reasons := map[string]int64{}
	for _, line := range rejects {
		reasons[line[2]]++
	}
	if !maps.Equal(reasons, rejected) {
		t.Errorf("rejects.csv has %v, want %v", reasons, rejected)
	}
	for _, want := range [][]string{{"22", "not-an-address", "not an address"}, {"44", "", "no address"}, {"67", "short.row@example.com", "wrong number of columns"}, {"107", "JANE.DOE@example.com", "duplicate"}, {"169", "quotes@example.com", "misplaced quote"}} {
		if !slices.ContainsFunc(rejects, func(line []string) bool { return slices.Equal(line[:3], want) }) {
			t.Errorf("rejects.csv lacks %q", want)
		}
	}
}

func TestAMessageIsWhatItsRowSays(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	d.upload(examples.SpringSaleName, example())
	d.succeed(d.start(examples.SpringSaleName))
	// "anna@bücher.example,Anna Müller,München,,SPRING-6T7HA": no points, so the paragraph on points is left out.
	for _, entry := range d.mailbox() {
		if entry.To[0] != "anna@xn--bcher-kva.example" {
			continue
		}
		message, err := d.SES().Message(entry.MessageID)
		if err != nil {
			t.Fatal(err)
		}
		if message.Subject != "Anna Müller, your spring discount ends on 30 April" || message.From != `"Spring Shop" <news@shop.example.com>` || !slices.Equal(message.ReplyTo, []string{"hello@shop.example.com"}) {
			t.Errorf("the head is %q %q %q", message.From, message.ReplyTo, message.Subject)
		}
		for _, part := range []string{message.Text, message.HTML} {
			if !strings.Contains(part, "Anna Müller") || !strings.Contains(part, "München") || !strings.Contains(part, "SPRING-6T7HA") || strings.Contains(part, "points to spend") {
				t.Errorf("a part is %s", part)
			}
		}
		if len(message.Attachments) != 1 || message.Attachments[0].FileName != "spring-sale.ics" || string(message.Attachments[0].Content) != example()["spring-sale.ics"] {
			t.Errorf("attachments: %+v", message.Attachments)
		}
		if message.Tags["season"] != "spring" || message.Tags["year"] != "2026" {
			t.Errorf("tags: %v", message.Tags)
		}
		return
	}
	t.Error("she has no message")
}
