package main

import (
	"context"

	"github.com/uptrace/bun"

	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

// examine looks at the PostgreSQL behind the functions.
func examine(ctx context.Context, db *bun.DB) (workflow.ControlOutput, error) {
	server, err := ledger.Server(ctx, db, "")
	if err != nil {
		return workflow.ControlOutput{}, err
	}
	return workflow.ControlOutput{Database: &workflow.Database{
		RoleLimit: server.RoleLimit, MaxConnections: server.MaxConnections,
		Reserved: server.Reserved, OthersConnections: server.Others,
	}}, nil
}
