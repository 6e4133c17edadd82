package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the key of the advisory lock under which one migration runs at a time: "fanmail" in hexadecimal.
const migrationLock = 0x66616e6d61696c

// lockNotAvailable is an SQLSTATE.
const lockNotAvailable = "55P03"

// discover reads the migrations that this program has.
func discover() (*migrate.Migrations, error) {
	migrations := migrate.NewMigrations()
	return migrations, migrations.Discover(migrationFiles)
}

// LatestSchema is the name of the last migration that this program has.
func LatestSchema() (string, error) {
	migrations, err := discover()
	if err != nil {
		return "", err
	}
	sorted := migrations.Sorted()
	return sorted[len(sorted)-1].Name, nil
}

// Migrate creates the schema fanmail and brings its tables up to date. Each migration runs in a transaction and is
// marked as applied only when it succeeded, so that it can be run again after any failure. It returns the names of the
// migrations that it applied.
func Migrate(ctx context.Context, db *bun.DB) ([]string, error) {
	if _, err := db.ExecContext(ctx, "select pg_advisory_lock(?)", migrationLock); err != nil {
		return nil, fmt.Errorf("waiting for another migration: %w", err)
	}
	defer func() {
		_, _ = db.ExecContext(context.WithoutCancel(ctx), "select pg_advisory_unlock(?)", migrationLock)
	}()
	if _, err := db.ExecContext(ctx, "create schema if not exists fanmail"); err != nil {
		return nil, fmt.Errorf("creating schema fanmail (it needs the right CREATE on the database, or an administrator: DATABASE_ADMIN_URL, DATABASE_ADMIN_SECRET_ARN): %w", err)
	}
	migrations, err := discover()
	if err != nil {
		return nil, err
	}
	migrator := migrate.NewMigrator(db, migrations,
		migrate.WithTableName("fanmail.migration"),
		migrate.WithLocksTableName("fanmail.migration_lock"),
		migrate.WithMarkAppliedOnSuccess(true))
	if err := migrator.Init(ctx); err != nil {
		return nil, fmt.Errorf("creating the migration tables: %w", err)
	}
	group, err := migrator.Migrate(ctx)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == lockNotAvailable {
		return nil, fmt.Errorf("migrating the ledger: an import holds a table, which takes minutes: run the migration again when it is done: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("migrating the ledger: %w", err)
	}
	applied := []string{}
	for _, migration := range group.Migrations {
		applied = append(applied, migration.Name+"_"+migration.Comment)
	}
	return applied, nil
}
