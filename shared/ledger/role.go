package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
)

// Role is the PostgreSQL role that the functions connect as. Its limits hold whatever AWS does.
type Role struct {
	Name string
	// Password is set for the role, unless it is empty.
	Password string
	// IAM lets the role log in with IAM tokens, where the server knows them.
	IAM bool
	// ConnectionLimit is the bound: the server refuses the role any session beyond it.
	ConnectionLimit int
}

// setting is a parameter that each session of the role begins with: nothing has to be SET, which would pin an RDS Proxy.
type setting struct{ Name, Value string }

// roleSettings bound how long a session can hold a slot or a lock for nobody.
var roleSettings = []setting{
	// An environment that is frozen or was killed does not close its session.
	{"idle_session_timeout", "90s"},
	// No invocation pauses within a transaction; one that does is frozen or gone.
	{"idle_in_transaction_session_timeout", "60s"},
	// Prepare imports millions with one COPY and one INSERT. Its Lambda ends after 15 minutes; the statement must end before.
	{"statement_timeout", "14min"},
	// Prepare waits for an import that an earlier execution left running; its tries together outwait the longest one.
	{"lock_timeout", "2min"},
	// A long statement whose environment was killed is given up.
	{"client_connection_check_interval", "10s"},
	// None of these ends a COPY whose client vanished without a word: only the network's own check does, within 90 s.
	{"tcp_keepalives_idle", "60"},
	{"tcp_keepalives_interval", "10"},
	{"tcp_keepalives_count", "3"},
}

// standing is what the server knows of a role.
type standing struct {
	Exists        bool
	Administrator bool
	// Current means that the role is the one that we are connected as.
	Current         bool
	Login           bool
	ConnectionLimit int
	Settings        []string `bun:",array"`
	// KnowsIAM means that the server has the role rds_iam.
	KnowsIAM bool
	HasIAM   bool
	Database string
	Connects bool
	// Granted and Default are the rights on the tables that are there, and on those that we will create.
	Granted bool
	Default bool
}

const standingSQL = `
	select r.oid is not null as exists,
	       coalesce(r.rolsuper or r.rolcreaterole, false) as administrator,
	       ?0 = current_user as current,
	       coalesce(r.rolcanlogin, false) as login,
	       coalesce(r.rolconnlimit, -1) as connection_limit,
	       coalesce(r.rolconfig, '{}') as settings,
	       iam.oid is not null as knows_iam,
	       coalesce(pg_has_role(r.oid, iam.oid, 'MEMBER'), false) as has_iam,
	       current_database() as database,
	       coalesce(has_database_privilege(r.oid, current_database(), 'CONNECT'), false) as connects,
	       coalesce(has_schema_privilege(r.oid, n.oid, 'USAGE') and (
	           select bool_and(case
	               when c.relkind = 'S' then has_sequence_privilege(r.oid, c.oid, 'USAGE')
	               else has_table_privilege(r.oid, c.oid, 'SELECT') and has_table_privilege(r.oid, c.oid, 'INSERT')
	                and has_table_privilege(r.oid, c.oid, 'UPDATE') and has_table_privilege(r.oid, c.oid, 'DELETE') end)
	           from pg_class c where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'S')), false) as granted,
	       (select count(*) from pg_default_acl d, aclexplode(d.defaclacl) a
	        where d.defaclnamespace = n.oid and d.defaclrole = (select oid from pg_roles where rolname = current_user)
	          and a.grantee = r.oid and d.defaclobjtype in ('r', 'S')) >= 6 as "default"
	from pg_namespace n
	left join pg_roles r on r.rolname = ?0
	left join pg_roles iam on iam.rolname = 'rds_iam'
	where n.nspname = 'fanmail'`

// Limit brings the role to what it must be, creating it if need be, as the administrator that db is connected as. What it
// finds in order it leaves alone, but for the password. Where it may not, it changes nothing and returns the statements
// that an administrator has to run, with the reason. The schema must have been migrated.
func (r Role) Limit(ctx context.Context, db *bun.DB) (byHand []string, reason string, err error) {
	s, err := r.standing(ctx, db)
	if err != nil {
		return nil, "", err
	}
	if s.Administrator || s.Current {
		return r.instead(ctx, db, s)
	}
	statements, err := r.statements(s, true)
	if err != nil {
		return nil, "", err
	}
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == insufficientPrivilege {
		byHand, err = r.statements(s, false)
		return byHand, fmt.Sprintf("the administrator may not change the role %s: %s", r.Name, pg.Message), err
	}
	if err != nil {
		return nil, "", fmt.Errorf("setting up the role %s: %w", r.Name, err)
	}
	return nil, "", nil
}

// insufficientPrivilege is an SQLSTATE.
const insufficientPrivilege = "42501"

// instead deals with a connection that is the role's own: it can't limit itself, and an administrator must not be limited.
func (r Role) instead(ctx context.Context, db *bun.DB, s standing) (byHand []string, reason string, err error) {
	if !s.Administrator {
		byHand, err = r.statements(s, false)
		if len(byHand) == 0 {
			return nil, "", err
		}
		return byHand, fmt.Sprintf("the role %s can't limit itself, and no administrator is given: DATABASE_ADMIN_URL or DATABASE_ADMIN_SECRET_ARN", r.Name), err
	}
	own := Role{Name: "fanmail", IAM: r.IAM, ConnectionLimit: r.ConnectionLimit}
	if r.Name == own.Name {
		own.Name = "fanmail_functions"
	}
	if s, err = own.standing(ctx, db); err != nil {
		return nil, "", err
	}
	byHand, err = own.statements(s, false)
	return byHand, fmt.Sprintf("the role %s is an administrator, which no limit holds: give DATABASE_URL the role %s", r.Name, own.Name), err
}

func (r Role) standing(ctx context.Context, db *bun.DB) (standing, error) {
	var s standing
	err := db.NewRaw(standingSQL, r.Name).Scan(ctx, &s)
	if errors.Is(err, sql.ErrNoRows) {
		err = errors.New("there is no schema fanmail: run the migrations first")
	}
	if err != nil {
		return s, fmt.Errorf("looking up the role %s: %w", r.Name, err)
	}
	return s, nil
}

// statements are what leads from s to the role. Those that are not ours to run are for people to read: they show no password.
func (r Role) statements(s standing, ours bool) ([]string, error) {
	name := pgx.Identifier{r.Name}.Sanitize()
	password := ""
	switch {
	case ours && r.Password != "":
		literal, err := passwordLiteral(r.Password)
		if err != nil {
			return nil, err
		}
		password = " PASSWORD " + literal
	case !ours && !s.Exists && !r.IAM:
		password = " PASSWORD '<the password that DATABASE_URL has>'"
	}
	var list []string
	limit := fmt.Sprintf(" CONNECTION LIMIT %d", r.ConnectionLimit)
	switch {
	case !s.Exists:
		list = append(list, "CREATE ROLE "+name+" LOGIN"+password+limit)
	case !s.Login || s.ConnectionLimit != r.ConnectionLimit || password != "":
		list = append(list, "ALTER ROLE "+name+" LOGIN"+password+limit)
	}
	for _, p := range roleSettings {
		if !slices.Contains(s.Settings, p.Name+"="+p.Value) {
			list = append(list, fmt.Sprintf("ALTER ROLE %s SET %s = '%s'", name, p.Name, p.Value))
		}
	}
	if r.IAM && s.KnowsIAM && !s.HasIAM {
		list = append(list, "GRANT rds_iam TO "+name)
	}
	if s.Current {
		return list, nil // what it creates, it owns
	}
	if !s.Connects {
		list = append(list, "GRANT CONNECT ON DATABASE "+pgx.Identifier{s.Database}.Sanitize()+" TO "+name)
	}
	if !s.Granted {
		list = append(list,
			"GRANT USAGE ON SCHEMA fanmail TO "+name,
			"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fanmail TO "+name,
			"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA fanmail TO "+name)
	}
	if !s.Default {
		list = append(list,
			"ALTER DEFAULT PRIVILEGES IN SCHEMA fanmail GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "+name,
			"ALTER DEFAULT PRIVILEGES IN SCHEMA fanmail GRANT USAGE, SELECT ON SEQUENCES TO "+name)
	}
	return list, nil
}
