package main

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// suppressed looks addresses up on the suppression list. It writes nothing, and no address into a log.
func suppressed(ctx context.Context, db *bun.DB, addresses []string) (workflow.ControlOutput, error) {
	if n := len(addresses); n == 0 || n > workflow.MaxAddresses {
		message := fmt.Sprintf("%d addresses: ask about 1 to %d at once", n, workflow.MaxAddresses)
		return workflow.ControlOutput{}, &workflow.InvalidRequest{Message: message}
	}
	positions, err := ledger.SuppressedAmong(ctx, db, addresses)
	return workflow.ControlOutput{SuppressedAmong: &workflow.SuppressedAmong{Positions: positions}}, err
}
