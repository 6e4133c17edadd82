// Package database holds the one warm PostgreSQL handle of a Lambda execution environment.
//
// An environment is frozen between invocations, so nothing here trusts a background goroutine or a timer: a connection
// is checked when it is taken out, and a first connect that failed is tried again by the next invocation.
package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"fanmail/shared/workflow"
)

const (
	// connectTimeout bounds one connect, so that a host that swallows packets is an error and not a Lambda timeout.
	connectTimeout = 5 * time.Second
	// pingTimeout bounds the check of a connection that may have died while the environment was frozen.
	pingTimeout = time.Second
	// trustedIdle is how long a connection may lie unused within an invocation before it is checked again.
	trustedIdle = time.Second
)

// Handle is a lazily opened bun database with at most one connection. Make one per process, outside the handler. It is
// safe for concurrent use; statements queue for the connection.
type Handle struct {
	dsn         string
	application string

	mu sync.Mutex
	db *bun.DB
	// suspect is set at the start of an invocation: the environment may have been frozen since the last statement.
	suspect atomic.Bool
	// lastUse is the wall clock in nanoseconds. The monotonic clock may stand still while the environment is frozen.
	lastUse atomic.Int64
}

// New returns a handle on the PostgreSQL at dsn, a URL or key=value string as libpq takes it. Nothing is opened yet.
// application is shown as application_name in pg_stat_activity.
func New(dsn, application string) *Handle {
	return &Handle{dsn: dsn, application: application}
}

// DB returns the handle's database. Call it once at the start of each invocation: the first statement after the call
// finds a connection that died while the environment was frozen within a second, and replaces it.
// The error is *workflow.DatabaseFailed when dsn is missing or malformed.
func (h *Handle) DB() (*bun.DB, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.suspect.Store(true)
	if h.db != nil {
		return h.db, nil
	}
	config, err := h.config()
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*config,
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }),
		stdlib.OptionResetSession(h.check))
	pool.SetMaxOpenConns(1)
	pool.SetMaxIdleConns(1)
	h.db = bun.NewDB(pool, pgdialect.New())
	return h.db, nil
}

// Close ends the session at once. The next DB opens a new one.
func (h *Handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.db == nil {
		return nil
	}
	db := h.db
	h.db = nil
	return db.Close()
}

func (h *Handle) config() (*pgx.ConnConfig, error) {
	if h.dsn == "" {
		return nil, &workflow.DatabaseFailed{Message: "DATABASE_URL is not set: give the function a PostgreSQL URL such as postgres://user:password@host:5432/database"}
	}
	config, err := pgx.ParseConfig(h.dsn)
	if err != nil {
		return nil, &workflow.DatabaseFailed{Message: fmt.Sprintf("DATABASE_URL is malformed: %s", malformed(err))}
	}
	// bun inlines its arguments; the simple protocol leaves no prepared statement behind that could pin an RDS Proxy.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if _, set := config.RuntimeParams["application_name"]; !set {
		config.RuntimeParams["application_name"] = h.application
	}
	return config, nil
}

// check runs before database/sql hands out a connection that was used before. ErrBadConn makes it take a new one.
func (h *Handle) check(ctx context.Context, conn *pgx.Conn) error {
	now := time.Now().UnixNano()
	idle := time.Duration(now - h.lastUse.Swap(now))
	if !h.suspect.Swap(false) && idle >= 0 && idle < trustedIdle {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := conn.PgConn().Ping(ctx); err != nil {
		return driver.ErrBadConn
	}
	return nil
}

// PgConn runs f on the wire connection under conn, for what database/sql has no words for, such as COPY.
func PgConn(conn bun.Conn, f func(*pgx.Conn) error) error {
	return conn.Raw(func(driverConn any) error {
		return f(driverConn.(*stdlib.Conn).Conn())
	})
}
