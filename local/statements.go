package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrStatementsNotCounted means that the database has no working pg_stat_statements.
var ErrStatementsNotCounted = errors.New("pg_stat_statements is not available")

// Statement is one kind of SQL statement, with placeholders for its values, and how often it ran in the database so far.
type Statement struct {
	ID    int64
	Query string
	Calls int64
	// Time is spent in the server, planning not included.
	Time time.Duration
}

// Statements counts what the functions' role ran in the database, but for what the runtime itself asks of the server's statistics. In
// a database that is not ours the extension is used where it stands, and never created. Counts only grow: take the difference
// of two calls. The error is ErrStatementsNotCounted where nothing counts.
func (r *Runtime) Statements(ctx context.Context) ([]Statement, error) {
	conn, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	var schema string
	if schema, err = r.statementCounter(ctx, conn); err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, `
		SELECT s.queryid, min(s.query), sum(s.calls)::bigint, sum(s.total_exec_time)
		FROM `+pgx.Identifier{schema}.Sanitize()+`.pg_stat_statements s
		WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
		  AND s.userid = (SELECT oid FROM pg_roles WHERE rolname = $1)
		  AND s.queryid IS NOT NULL AND s.query NOT LIKE '%pg\_stat\_%'
		GROUP BY s.queryid`, r.role.name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatementsNotCounted, err)
	}
	statements, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Statement, error) {
		var s Statement
		var milliseconds float64
		err := row.Scan(&s.ID, &s.Query, &s.Calls, &milliseconds)
		s.Time = time.Duration(milliseconds * float64(time.Millisecond))
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatementsNotCounted, err)
	}
	return statements, nil
}

// statementCounter is the schema that the extension stands in: in our own server one that has nothing else.
func (r *Runtime) statementCounter(ctx context.Context, conn *pgx.Conn) (string, error) {
	if r.options.DatabaseURL == "" {
		const create = "CREATE SCHEMA IF NOT EXISTS statistics; CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA statistics"
		if _, err := conn.Exec(ctx, create); err != nil {
			return "", fmt.Errorf("%w: %w", ErrStatementsNotCounted, err)
		}
	}
	var schema string
	err := conn.QueryRow(ctx, `
		SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = 'pg_stat_statements'`).Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", ErrStatementsNotCounted
	}
	return schema, err
}
