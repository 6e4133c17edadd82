package main

import (
	"context"

	"fanmail/shared/database"
	"fanmail/shared/ledger"
)

type handler struct {
	db *database.Handle
}

// input is empty: {}.
type input struct{}

// output names the migrations that were applied; none when the ledger was up to date.
type output struct {
	Applied []string `json:"applied"`
}

func (h *handler) handle(ctx context.Context, _ input) (output, error) {
	db, err := h.db.DB()
	if err != nil {
		return output{}, err
	}
	applied, err := ledger.Migrate(ctx, db)
	return output{Applied: applied}, err
}
