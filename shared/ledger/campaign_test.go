package ledger_test

import (
	"context"
	"errors"
	"testing"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

func TestOpen(t *testing.T) {
	const other = "arn:aws:states:us-east-1:000000000000:execution:fanmail-test-campaign:spring-sale-2"
	for _, test := range []struct {
		name    string
		state   ledger.CampaignState
		opening ledger.Opening
		ok      bool
		invalid bool
		want    ledger.CampaignState
	}{
		{"the same execution again", ledger.Running, ledger.Opening{Execution: execution}, true, false, ledger.Running},
		{"the same execution again while importing", ledger.Importing, ledger.Opening{Execution: execution, RecipientsTag: "new"}, true, false, ledger.Importing},
		{"another execution while it runs", ledger.Running, ledger.Opening{Execution: other}, false, false, ledger.Running},
		{"another execution while it imports", ledger.Importing, ledger.Opening{Execution: other}, false, false, ledger.Importing},
		{"another execution after the owner ended", ledger.Running, ledger.Opening{Execution: other, Predecessor: execution}, true, false, ledger.Running},
		{"another execution after somebody else ended", ledger.Running, ledger.Opening{Execution: other, Predecessor: "third"}, false, false, ledger.Running},
		{"paused", ledger.Paused, ledger.Opening{Execution: other}, true, false, ledger.Running},
		{"halted", ledger.Halted, ledger.Opening{Execution: other}, true, false, ledger.Running},
		{"failed", ledger.Failed, ledger.Opening{Execution: other}, true, false, ledger.Running},
		{"interrupted", ledger.Interrupted, ledger.Opening{Execution: other}, true, false, ledger.Running},
		{"interrupted, with another list", ledger.Interrupted, ledger.Opening{Execution: other, RecipientsTag: "new"}, false, true, ""},
		{"finished", ledger.Finished, ledger.Opening{Execution: other}, true, false, ledger.Running},
		{"cancelled", ledger.Cancelled, ledger.Opening{Execution: other}, false, true, ""},
		{"another list", ledger.Paused, ledger.Opening{Execution: other, RecipientsTag: "new"}, false, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, ctx := open(t), context.Background()
			start(t, db, "a@example.com")
			if _, err := db.ExecContext(ctx, "update fanmail.campaign set state = ?", test.state); err != nil {
				t.Fatal(err)
			}
			test.opening.Name, test.opening.Settings = "spring-sale", []byte(`{}`)
			if test.opening.RecipientsTag == "" {
				test.opening.RecipientsTag = "tag"
			}
			c, ok, err := ledger.Open(ctx, db, test.opening)
			var invalid *workflow.InvalidCampaign
			if test.invalid != errors.As(err, &invalid) || ok != test.ok {
				t.Fatalf("ok %v, error %v; want ok %v, invalid %v", ok, err, test.ok, test.invalid)
			}
			if err == nil && c.State != test.want {
				t.Errorf("state %s, want %s", c.State, test.want)
			}
		})
	}
}

func TestCloseKeepsTheStateOfACampaignThatWasStopped(t *testing.T) {
	for _, test := range []struct{ before, closeAs, want ledger.CampaignState }{
		{ledger.Running, ledger.Finished, ledger.Finished},
		{ledger.Paused, ledger.Finished, ledger.Paused},
		{ledger.Halted, ledger.Finished, ledger.Halted},
		{ledger.Running, ledger.Failed, ledger.Failed},
		{ledger.Importing, ledger.Failed, ledger.Importing},
	} {
		db, ctx := open(t), context.Background()
		c := start(t, db, "a@example.com")
		if _, err := db.ExecContext(ctx, "update fanmail.campaign set state = ?", test.before); err != nil {
			t.Fatal(err)
		}
		c.State = test.before
		if err := ledger.Close(ctx, db, c, test.closeAs, "because"); err != nil {
			t.Fatal(err)
		}
		if c.State != test.want || c.EndedAt.IsZero() {
			t.Errorf("%s closed as %s is %s (ended %v), want %s", test.before, test.closeAs, c.State, c.EndedAt, test.want)
		}
	}
}

func TestACampaignThatAnotherExecutionTookCannotBeClosed(t *testing.T) {
	db, ctx := open(t), context.Background()
	c := start(t, db, "a@example.com")
	if _, err := db.ExecContext(ctx, "update fanmail.campaign set execution = 'other'"); err != nil {
		t.Fatal(err)
	}
	var busy *workflow.CampaignBusy
	if err := ledger.Close(ctx, db, c, ledger.Finished, "sent"); !errors.As(err, &busy) {
		t.Fatalf("error %v, want CampaignBusy", err)
	}
}
