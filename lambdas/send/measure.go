package main

import (
	"context"
	"log/slog"

	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/metrics"
	"fanmail/shared/workflow"
)

// measure emits what an invocation has done, also when it ends with an error. The sessions are counted last, when
// every sender has one, and not after an error: the connection may be what went wrong.
func (h *handler) measure(ctx context.Context, db *bun.DB, out workflow.SendOutput, throttles int, failed error) {
	if h.metrics == nil {
		return
	}
	values := []metrics.Value{
		metrics.Of(metrics.Accepted, out.Sent), metrics.Of(metrics.Failed, out.Failed),
		metrics.Of(metrics.Throttled, throttles),
	}
	if failed == nil {
		sessions, err := ledger.Sessions(ctx, db)
		if err == nil {
			values = append(values, metrics.Of(metrics.Connections, sessions))
		} else {
			slog.WarnContext(ctx, err.Error())
		}
	}
	h.metrics.Emit(values...)
}
