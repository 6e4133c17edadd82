package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/database"
	"fanmail/shared/workflow"
)

func TestSuppressedAddressesAreFoundByTheirPositions(t *testing.T) {
	h, ctx := newHandler(t), context.Background()
	var logged strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	db, err := h.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	const odd = `o'neil\"{},%s?0$1@example.com`
	for _, address := range []string{"ann@example.com", "zoe@example.com", odd} {
		if _, err := db.ExecContext(ctx, "insert into fanmail.suppression (address, reason) values (?, 'test')", address); err != nil {
			t.Fatal(err)
		}
	}
	var many []string
	for i := range workflow.MaxAddresses {
		many = append(many, fmt.Sprintf("%d@example.com", i))
	}
	many[workflow.MaxAddresses-1] = "zoe@example.com"
	for _, test := range []struct {
		name string
		asks []string
		want []int
	}{
		{"none", []string{"bob@example.com"}, []int{}},
		{"in order", []string{"zoe@example.com", "bob@example.com", "ann@example.com"}, []int{0, 2}},
		{"twice", []string{"ann@example.com", "ann@example.com"}, []int{0, 1}},
		{"odd characters", []string{`bob'@example.com`, odd}, []int{1}},
		{"as many as may be", many, []int{workflow.MaxAddresses - 1}},
	} {
		out, err := h.handle(ctx, workflow.ControlInput{Action: workflow.ActionSuppressed, Addresses: test.asks})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if out.SuppressedAmong == nil || !slices.Equal(out.SuppressedAmong.Positions, test.want) || out.SuppressedAmong.Positions == nil {
			t.Errorf("%s: got %+v, want %v", test.name, out.SuppressedAmong, test.want)
		}
	}
	if strings.Contains(logged.String(), "@") {
		t.Errorf("it logs addresses:\n%.200s", logged.String())
	}
}

func TestTooManyAddressesAreRefusedByNumber(t *testing.T) {
	h := newHandler(t)
	for _, n := range []int{0, workflow.MaxAddresses + 1} {
		_, err := h.handle(context.Background(), workflow.ControlInput{Action: workflow.ActionSuppressed, Addresses: make([]string, n)})
		if invalid, ok := err.(*workflow.InvalidRequest); !ok || !strings.HasPrefix(invalid.Message, fmt.Sprintf("%d addresses: ", n)) {
			t.Errorf("got %T %v, want InvalidRequest", err, err)
		}
	}
}

func TestAFailedLookUpNamesNoAddress(t *testing.T) {
	h := &handler{db: database.New("postgres://nobody@127.0.0.1:1/none", "control-test")}
	t.Cleanup(func() { _ = h.db.Close() })
	_, err := h.handle(context.Background(), workflow.ControlInput{Action: workflow.ActionSuppressed, Addresses: []string{"ann@example.com"}})
	if err == nil || strings.Contains(err.Error(), "ann@") {
		t.Errorf("got %v, want an error without addresses", err)
	}
}

func TestExamineShowsTheServer(t *testing.T) {
	out, err := newHandler(t).handle(context.Background(), workflow.ControlInput{Action: workflow.ActionExamine})
	if err != nil {
		t.Fatal(err)
	}
	if d := out.Database; d == nil || d.MaxConnections < 10 || d.Reserved < 1 || d.MaxConnections <= d.Reserved+d.OthersConnections {
		t.Errorf("got %+v", d)
	}
}
