package main

import (
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

func TestAProofIsWrittenOnceAndForgottenAfterADay(t *testing.T) {
	f := newFixture(t)
	send := func(id uuid.UUID) {
		body := fmt.Sprintf(`{"eventType":"Send","mail":{"timestamp":"2026-11-23T09:00:00Z","messageId":"m","tags":{"fanmail-proof":["%s"]}},"send":{}}`, id)
		message := events.SQSMessage{MessageId: "1", Body: body}
		out, err := f.handle(t.Context(), events.SQSEvent{Records: []events.SQSMessage{message, message}})
		if err != nil || len(out.BatchItemFailures) > 0 {
			t.Fatal(out, err)
		}
	}
	count := func() (n int) {
		if err := f.db.NewRaw("select count(*) from fanmail.proof").Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	id := uuid.New()
	send(id)
	if send(id); count() != 1 {
		t.Errorf("%d rows of one proof", count())
	}
	if _, err := f.db.Exec("update fanmail.proof set arrived_at = arrived_at - interval '25 hours'"); err != nil {
		t.Fatal(err)
	}
	if send(uuid.New()); count() != 1 {
		t.Errorf("%d rows, want the new proof alone", count())
	}
	// Whoever may send with the configuration set can make proofs, but not fill the ledger with them.
	_, err := f.db.Exec(`
		insert into fanmail.proof
		select gen_random_uuid(), now(), now() - make_interval(secs => i) from generate_series(1, 5000) i`)
	if err != nil {
		t.Fatal(err)
	}
	id = uuid.New()
	if send(id); count() > 1001 {
		t.Errorf("%d rows are kept", count())
	}
	if err := f.db.NewRaw("select 1 from fanmail.proof where id = ?", id).Scan(t.Context(), new(int)); err != nil {
		t.Errorf("the last proof: %v", err)
	}
}
