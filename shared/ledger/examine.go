package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"fanmail/shared/workflow"
)

// Examine reads what the server, the role that we are connected as and the ledger are like, and whether the event of a
// proof has arrived. It answers where the tables are missing, old, or closed to the role, too: then their part of the
// answer is empty.
func Examine(ctx context.Context, db bun.IDB, proof uuid.UUID) (workflow.Database, error) {
	var d workflow.Database
	latest, err := LatestSchema()
	if err != nil {
		return d, err
	}
	server, err := Server(ctx, db, "")
	if err != nil {
		return d, err
	}
	var s struct {
		Version       string
		VersionNumber int
		RoleName      string
		Own           int
		Settings      []string `bun:",array"`
		Clock         time.Time
		// HasClock and what follows are the parts of the ledger that the role may use.
		HasClock     bool
		HasMigration bool
		HasProof     bool
	}
	err = db.NewRaw(`
		with f as (
			select coalesce(bool_or(has_schema_privilege(oid, 'USAGE')), false) as open
			from pg_namespace where nspname = 'fanmail'
		)
		select current_setting('server_version') as version,
		       current_setting('server_version_num')::int as version_number,
		       current_user as role_name,
		       (select count(*) from pg_stat_activity where datid is not null and usename = current_user) as own,
		       (select coalesce(rolconfig, '{}') from pg_roles where rolname = current_user) as settings,
		       clock_timestamp() as clock,
		       coalesce(case when f.open then to_regprocedure('fanmail.clock()') is not null end, false) as has_clock,
		       coalesce(case when f.open then has_table_privilege(to_regclass('fanmail.migration'), 'SELECT') end, false)
		           as has_migration,
		       coalesce(case when f.open then has_table_privilege(to_regclass('fanmail.proof'), 'SELECT') end, false)
		           as has_proof
		from f`).Scan(ctx, &s)
	if err != nil {
		return d, fmt.Errorf("examining the server: %w", err)
	}
	d = workflow.Database{
		Version: s.Version, VersionNumber: s.VersionNumber, LatestSchema: latest, Clock: s.Clock,
		RoleName: s.RoleName, RoleLimit: server.RoleLimit, SettingsMissing: []string{},
		MaxConnections: server.MaxConnections, Reserved: server.Reserved,
		OthersConnections: server.Others, OwnConnections: s.Own,
	}
	for _, p := range roleSettings {
		if setting := p.Name + "=" + p.Value; !slices.Contains(s.Settings, setting) {
			d.SettingsMissing = append(d.SettingsMissing, setting)
		}
	}
	for _, part := range []struct {
		has   bool
		query string
		into  any
	}{
		{s.HasClock, "select fanmail.clock()", &d.Clock},
		{s.HasMigration, "select coalesce(max(name), '') from fanmail.migration", &d.SchemaVersion},
		{s.HasProof, "select coalesce(max(arrived_at), '0001-01-01 00:00:00+00') from fanmail.proof where id = ?", &d.WitnessedAt},
	} {
		if !part.has {
			continue
		}
		if err := db.NewRaw(part.query, proof).Scan(ctx, part.into); err != nil {
			return d, fmt.Errorf("examining the ledger: %w", err)
		}
	}
	d.Clock, d.WitnessedAt = d.Clock.UTC(), d.WitnessedAt.UTC()
	return d, nil
}
