package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanmail/shared/function/functiontest"
	"fanmail/shared/ledger"
	"fanmail/shared/metrics"
)

func TestPermanentBouncesDeliveriesAndComplaintsAreCounted(t *testing.T) {
	now := time.Now()
	bounce := func(kind string) ledger.Event { return ledger.Event{Accepted: now, Bounced: now, Bounce: kind} }
	var out bytes.Buffer
	measure(metrics.New("test", &out), []ledger.Event{
		{Accepted: now, Confirms: true},
		{Accepted: now, Delivered: now}, {Accepted: now, Delivered: now}, {Accepted: now, Delivered: now, Complained: now},
		{Accepted: now, Opened: now}, {Accepted: now, Clicked: now},
		bounce("Permanent/General"), bounce("Permanent/Suppressed"),
		bounce("Permanent/OnAccountSuppressionList"), bounce("Transient/MailboxFull"), bounce("Undetermined/Undetermined"),
	})
	got, _ := functiontest.Metrics(t, out.Bytes())
	if diff := cmp.Diff(map[string]float64{"Delivered": 3, "Bounced": 2, "Complained": 1}, got); diff != "" {
		t.Errorf("%s\n%s", diff, out.Bytes())
	}
}
