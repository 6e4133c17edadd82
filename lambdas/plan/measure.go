package main

import (
	"context"
	"log/slog"

	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/metrics"
	"fanmail/shared/planner"
)

// measure emits what the alarms compare: the connections with their bound, what is sent with the account's rate. A
// plan that did not ask for the quota leaves the rate out.
func (h *handler) measure(ctx context.Context, db *bun.DB, quota planner.Quota) {
	if h.metrics == nil {
		return
	}
	values := []metrics.Value{metrics.Of(metrics.ConnectionBound, h.bound)}
	if quota.MaxSendRate > 0 {
		values = append(values, metrics.Of(metrics.AccountRate, quota.MaxSendRate))
	}
	sessions, err := ledger.Sessions(ctx, db)
	if err == nil {
		values = append(values, metrics.Of(metrics.Connections, sessions))
	} else {
		slog.WarnContext(ctx, err.Error())
	}
	h.metrics.Emit(values...)
}
