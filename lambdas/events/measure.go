package main

import (
	"strings"

	"fanmail/shared/ledger"
	"fanmail/shared/metrics"
)

const (
	permanent = "Permanent/"
	// unsent is the bounce of an address on the account's suppression list: SES accepted the message, and did not
	// send it.
	unsent = permanent + "OnAccountSuppressionList"
)

// measure emits what events tell of messages, once they are written: an invocation that fails is repeated.
func measure(emitter *metrics.Emitter, events []ledger.Event) {
	delivered, bounced, complained := 0, 0, 0
	for _, e := range events {
		if !e.Delivered.IsZero() {
			delivered++
		}
		if strings.HasPrefix(e.Bounce, permanent) && e.Bounce != unsent {
			bounced++
		}
		if !e.Complained.IsZero() {
			complained++
		}
	}
	emitter.Emit(
		metrics.Of(metrics.Delivered, delivered), metrics.Of(metrics.Bounced, bounced),
		metrics.Of(metrics.Complained, complained),
	)
}
