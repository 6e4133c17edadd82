package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func event(t *testing.T) input {
	t.Helper()
	data, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	var in input
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		t.Fatalf("event.json: %v", err)
	}
	return in
}

func TestTheLedgerIsMadeOnceAndThenUpToDate(t *testing.T) {
	db := database.New(postgrestest.New(t), "migrate-test")
	t.Cleanup(func() { _ = db.Close() })
	h, ctx := &handler{db: db}, context.Background()
	first, err := h.handle(ctx, event(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Applied) == 0 {
		t.Error("an empty database needed no migration")
	}
	pool, err := db.DB()
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ledger.Find(ctx, pool, "spring-sale"); c != nil || err != nil {
		t.Errorf("the new ledger answers %+v, %v", c, err)
	}
	second, err := h.handle(ctx, event(t))
	if err != nil {
		t.Fatal(err)
	}
	// The CLI counts the list, so it must be there even when it is empty.
	if answer, _ := json.Marshal(second); string(answer) != `{"applied":[]}` {
		t.Errorf("the second run answers %s", answer)
	}
}

func TestWithoutADatabaseURLTheErrorSaysWhatToSet(t *testing.T) {
	_, err := (&handler{db: database.New("", "migrate-test")}).handle(context.Background(), input{})
	var failed *workflow.DatabaseFailed
	if !errors.As(err, &failed) {
		t.Errorf("got %v, want DatabaseFailed", err)
	}
}
