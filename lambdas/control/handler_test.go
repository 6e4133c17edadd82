package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/function"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

const execution = "arn:aws:states:us-east-1:000000000000:execution:fanmail-local-campaign:spring-sale-1"

func newHandler(t *testing.T) *handler {
	t.Helper()
	h := &handler{db: database.New(postgrestest.New(t), "control-test")}
	t.Cleanup(func() { _ = h.db.Close() })
	db, err := h.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Migrate(context.Background(), db); err != nil {
		t.Fatal(err)
	}
	return h
}

func event(t *testing.T) workflow.ControlInput {
	t.Helper()
	return functiontest.Event[workflow.ControlInput](t)
}

func TestStatusTellsHowTheCampaignStands(t *testing.T) {
	h, ctx := newHandler(t), context.Background()
	db, err := h.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.Open(ctx, db, ledger.Opening{Name: "spring-sale", Execution: execution, Settings: []byte(`{}`), RecipientsTag: "tag"})
	if err != nil {
		t.Fatal(err)
	}
	line := 1
	next := func() (ledger.Row, error) {
		if line++; line > 4 {
			return ledger.Row{}, io.EOF
		}
		return ledger.Row{Line: line, Address: string(rune('a'+line)) + "@example.com"}, nil
	}
	rejected := func() map[string]int64 { return map[string]int64{"not an address": 2, "duplicate": 1} }
	if err := ledger.Import(ctx, db, c, next, func(ledger.Duplicate) error { return nil }, rejected); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "update fanmail.campaign set wave_until = '2099-01-01'"); err != nil {
		t.Fatal(err)
	}
	claim := ledger.Claiming{Campaign: c.Name, Execution: execution, Wave: 1, First: 1, Last: 3, Limit: 2, Claim: uuid.New(), Lease: time.Minute}
	if _, err := ledger.Claim(ctx, db, claim); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Record(ctx, db, c.Name, claim.Claim, []ledger.Outcome{{Seq: 1, State: ledger.Sent, MessageID: "m1"}}); err != nil {
		t.Fatal(err)
	}
	got, err := h.handle(ctx, event(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Campaign != "spring-sale" || got.Execution != execution || got.State != "running" || !got.EndedAt.IsZero() {
		t.Errorf("report %+v", got)
	}
	// What a sender holds at the moment counts as pending.
	if got.Recipients != 3 || got.Sent != 1 || got.Pending != 2 || got.Rejected != 3 || got.RejectedByReason["not an address"] != 2 {
		t.Errorf("report %+v, want 3 recipients: 1 sent, 2 pending; 3 lines rejected", got)
	}
}

func TestACampaignThatWasNeverStartedIsUnknown(t *testing.T) {
	_, err := newHandler(t).handle(context.Background(), event(t))
	if unknown, ok := err.(*workflow.CampaignUnknown); !ok || !strings.Contains(unknown.Message, `"spring-sale"`) {
		t.Errorf("got %T %v, want CampaignUnknown with the name", err, err)
	}
}

func TestAnUnknownActionIsRefusedBeforeTheDatabaseIsAsked(t *testing.T) {
	for _, action := range []string{"", "delete", "Status", "Examine"} {
		_, err := (&handler{db: database.New("", "control-test")}).handle(context.Background(), workflow.ControlInput{Action: action, Campaign: "spring-sale"})
		if invalid, ok := err.(*workflow.InvalidRequest); !ok || !strings.Contains(invalid.Message, `use one of ["status" "rate" "resend" "drop" "examine" "suppressed"]`) {
			t.Errorf("action %q: got %T %v, want InvalidRequest that names the actions", action, err, err)
		}
	}
}

func TestExamineTellsOfTheServerTheRoleAndTheLedger(t *testing.T) {
	h, ctx := newHandler(t), context.Background()
	h.limit = 20
	db, err := h.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	known, unknown := uuid.New(), uuid.New()
	if err := ledger.Prove(ctx, db, []ledger.Proof{{ID: known, Accepted: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	for proof, arrived := range map[string]bool{known.String(): true, unknown.String(): false, "": false} {
		out, err := h.handle(ctx, workflow.ControlInput{Action: workflow.ActionExamine, Proof: proof})
		if err != nil || out.Database == nil {
			t.Fatalf("%+v %v", out, err)
		}
		if d := *out.Database; d.Bound != 20 || !d.WitnessedAt.IsZero() != arrived || d.SchemaVersion != d.LatestSchema {
			t.Errorf("proof %q: %+v", proof, d)
		}
	}
	if _, err := h.handle(ctx, workflow.ControlInput{Action: workflow.ActionExamine, Proof: "1"}); err == nil {
		t.Error("a proof that is no UUID is taken")
	}
}

func TestExamineSaysInOneLineThatTheDatabaseIsAway(t *testing.T) {
	h := &handler{db: database.New("postgres://nobody:secret@127.0.0.1:1/none?sslmode=disable&connect_timeout=1", "control-test")}
	_, err := h.handle(context.Background(), workflow.ControlInput{Action: workflow.ActionExamine})
	if named, ok := function.Name(err).(*workflow.Interrupted); !ok || !strings.Contains(named.Message, "127.0.0.1:1") || strings.Contains(named.Message, "secret") {
		t.Errorf("got %T %v", err, err)
	}
}
