// Package database holds the one warm PostgreSQL handle of a Lambda execution environment.
//
// An environment is frozen between invocations, so nothing here trusts a background goroutine or a timer: a connection
// is checked when it is taken out, and a first connect that failed is tried again by the next invocation.
package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
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
	ca          string
	login       login
	// variables are those that errors name.
	variables variables
	// problem is what New or FromEnvironment found wrong; every DB answers it, so that it becomes the error of an execution.
	problem error

	mu sync.Mutex
	db *bun.DB
	// suspect is set at the start of an invocation: the environment may have been frozen since the last statement.
	suspect atomic.Bool
	// lastUse is the wall clock in nanoseconds. The monotonic clock may stand still while the environment is frozen.
	lastUse atomic.Int64
}

// Option changes how a Handle connects.
type Option func(*Handle)

// WithCA trusts the certificate authorities in the PEM file at path, and no others. "" means those of this system and those
// of Amazon RDS.
func WithCA(path string) Option { return func(h *Handle) { h.ca = path } }

// New returns a handle on the PostgreSQL at dsn, a URL or key=value string as libpq takes it. Nothing is opened yet.
// application is shown as application_name in pg_stat_activity. The user and the password are those of dsn, unless an
// option says otherwise.
func New(dsn, application string, options ...Option) *Handle {
	h := &Handle{dsn: dsn, application: application, login: written{}, variables: functionVariables}
	for _, option := range options {
		option(h)
	}
	return h
}

// DB returns the handle's database. Call it once at the start of each invocation: the first statement after the call
// finds a connection that died while the environment was frozen within a second, and replaces it.
// The error is *workflow.DatabaseFailed when the settings are missing or malformed.
func (h *Handle) DB() (*bun.DB, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.suspect.Store(true)
	if h.db != nil {
		return h.db, nil
	}
	connector := &connector{handle: h}
	if err := connector.prepare(); err != nil {
		return nil, err
	}
	pool := sql.OpenDB(connector)
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
