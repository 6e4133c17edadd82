package ledger_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/ledger"
)

// out are the migrations that ledgers out there have run, and what they were then. To change anything, add a migration.
var out = map[string]string{
	"20261123000001_ledger": "54ed488e90cc610201d78895fd6ed37742555812bbc3888db992a1787207f223",
}

func TestAMigrationThatIsOutIsNotChanged(t *testing.T) {
	for name, want := range out {
		text, err := os.ReadFile(filepath.Join("migrations", name+".tx.up.sql"))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is changed: a ledger that has run it never runs it again", name)
		}
	}
}

// TestALedgerWithACampaignUnderWayIsBroughtUpToDate upgrades the first schema there was.
func TestALedgerWithACampaignUnderWayIsBroughtUpToDate(t *testing.T) {
	db, ctx := first(t, postgrestest.New(t)), context.Background()
	c := start(t, db, "a@example.com", "b@example.com")
	if _, err := ledger.Interrupt(ctx, db, c, because); err == nil {
		t.Fatal("the first schema knows the state interrupted: this test is to begin with one that does not")
	}
	applied, err := ledger.Migrate(ctx, db)
	if want := laterThan(t, "20261123000001_ledger"); err != nil || !slices.Equal(applied, want) {
		t.Fatalf("applied %q, %v; want %q", applied, err, want)
	}
	if changed, err := ledger.Interrupt(ctx, db, c, because); err != nil || !changed || c.State != ledger.Interrupted {
		t.Errorf("changed %v, %v: %+v", changed, err, c)
	}
	if diff := cmp.Diff(tables(t, open(t)), tables(t, db)); diff != "" {
		t.Errorf("the upgraded ledger is not the same as a new one:\n%s", diff)
	}
}

// TestAMigrationDoesNotHoldUpSendersBehindAnImport: whoever wants a table waits behind a migration that waits for it.
func TestAMigrationDoesNotHoldUpSendersBehindAnImport(t *testing.T) {
	dsn, ctx := postgrestest.New(t), context.Background()
	db := first(t, dsn)
	start(t, db, "a@example.com")
	importing, err := session(t, dsn).BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importing.ExecContext(ctx, "select from fanmail.campaign for update"); err != nil {
		t.Fatal(err)
	}
	if applied, err := ledger.Migrate(ctx, db); err == nil || !strings.Contains(err.Error(), "run the migration again") {
		t.Errorf("applied %q, %v; want it to be run again", applied, err)
	}
	if err := importing.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Migrate(ctx, db); err != nil {
		t.Errorf("once the import is done: %v", err)
	}
}

// first returns a database with the first migration only, as ledger.Migrate runs it.
func first(t *testing.T, dsn string) *bun.DB {
	t.Helper()
	db, ctx := session(t, dsn), context.Background()
	directory := t.TempDir()
	const name = "20261123000001_ledger.tx.up.sql"
	text, err := os.ReadFile(filepath.Join("migrations", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
	migrations := migrate.NewMigrations()
	if err := migrations.Discover(os.DirFS(directory)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "create schema fanmail"); err != nil {
		t.Fatal(err)
	}
	migrator := migrate.NewMigrator(db, migrations, migrate.WithTableName("fanmail.migration"),
		migrate.WithLocksTableName("fanmail.migration_lock"), migrate.WithMarkAppliedOnSuccess(true))
	if err := migrator.Init(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return db
}

// laterThan are the migrations after one, in order.
func laterThan(t *testing.T, name string) (names []string) {
	t.Helper()
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if other := strings.TrimSuffix(file.Name(), ".tx.up.sql"); other > name {
			names = append(names, other)
		}
	}
	return names
}

// tables are the columns and constraints of the ledger's tables.
func tables(t *testing.T, db *bun.DB) (all []string) {
	t.Helper()
	err := db.NewRaw(`
		select table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '')
		from information_schema.columns where table_schema = 'fanmail'
		union all
		select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
		from pg_constraint where connamespace = 'fanmail'::regnamespace
		order by 1`).Scan(context.Background(), &all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
