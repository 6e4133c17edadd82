package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/campaign"
	"fanmail/shared/function/functiontest"
	"fanmail/shared/metrics"
)

func TestAPlanEmitsTheAccountsRateAndTheConnections(t *testing.T) {
	f := newFixture(t, 3, campaign.Campaign{})
	var out bytes.Buffer
	f.handler.metrics = metrics.New("test", &out)
	_, err := f.plan(t)
	check(t, err)
	got, _ := functiontest.Metrics(t, out.Bytes())
	rate := f.mailbox.Settings().MaxSendRate
	want := map[string]float64{"AccountRate": rate, "Connections": got["Connections"], "ConnectionBound": float64(f.handler.bound)}
	if diff := cmp.Diff(want, got); diff != "" || got["Connections"] < 1 || rate <= 0 {
		t.Errorf("%s\n%s", diff, out.Bytes())
	}
	// Once all is sent, the quota is not asked for.
	f.settle(t, 3)
	out.Reset()
	_, err = f.plan(t)
	check(t, err)
	got, _ = functiontest.Metrics(t, out.Bytes())
	if _, has := got["AccountRate"]; has || got["ConnectionBound"] == 0 {
		t.Errorf("%s", out.Bytes())
	}
}
