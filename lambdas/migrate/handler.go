package main

import (
	"context"
	"log/slog"

	"github.com/uptrace/bun"

	"fanmail/shared/budget"
	"fanmail/shared/database"
	"fanmail/shared/ledger"
	"fanmail/shared/workflow"
)

type handler struct {
	// db is the administrator's, or the functions' own where no administrator is given.
	db *database.Handle
	// functions says which role the other functions connect as. It is not connected here, unless it is db.
	functions *database.Handle
	// limit is the largest number of sessions that the role may have.
	limit int
}

// input is empty: {}.
type input struct{}

type output = workflow.MigrateOutput

func (h *handler) handle(ctx context.Context, _ input) (output, error) {
	db, err := h.db.DB()
	if err != nil {
		return output{}, err
	}
	// Nothing limits or ends an administrator's session: it must not outlive the invocation.
	defer func() { _ = h.db.Close() }()
	login, err := h.functions.Login(ctx)
	if err != nil {
		return output{}, err
	}
	applied, err := ledger.Migrate(ctx, db)
	if err != nil {
		return output{}, err
	}
	role := ledger.Role{Name: login.User, Password: login.Password, IAM: login.IAM, ConnectionLimit: h.limit}
	statements, reason, err := role.Limit(ctx, db)
	if err != nil {
		return output{}, err
	}
	if len(statements) > 0 {
		slog.WarnContext(ctx, "the limits of the functions' role are not in order: run these statements by hand", "reason", reason, "statements", statements)
	}
	warning, err := h.weigh(ctx, db, role.Name)
	return output{Applied: applied, Statements: statements, Reason: reason, Warning: warning}, err
}

// weigh compares the bound with what the server has to give now.
func (h *handler) weigh(ctx context.Context, db *bun.DB, role string) (string, error) {
	server, err := ledger.Server(ctx, db, role)
	if err != nil {
		return "", err
	}
	err = budget.Fit([]budget.Function{{Name: "all", Concurrency: h.limit}}, budget.DefaultAccount, &server)
	if err == nil {
		return "", nil
	}
	slog.WarnContext(ctx, err.Error())
	return err.Error(), nil
}
