package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"fanmail/shared/workflow"
)

// oldestServer is the first PostgreSQL with idle_session_timeout, without which orphaned sessions would pile up.
const oldestServer = 14

// connector opens the connections of a handle. Each connect asks for the login anew.
type connector struct {
	handle *Handle
	// base is what can be known before the login; nil when that says the host, too.
	base *pgx.ConnConfig
}

var _ driver.Connector = (*connector)(nil)

// prepare checks whatever needs no network.
func (c *connector) prepare() error {
	h := c.handle
	if h.problem != nil {
		return h.problem
	}
	if h.dsn == "" && h.login.saysHost() {
		return checkCA(h.ca)
	}
	var err error
	c.base, err = h.config(h.dsn)
	return err
}

// Driver is part of driver.Connector.
func (c *connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// Connect opens a connection. A login that is refused is asked for once more: it may have been changed in the meantime.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.connect(ctx)
	if refused(err) && c.handle.login.forget() {
		conn, err = c.connect(ctx)
	}
	if err != nil {
		return nil, c.handle.login.explain(err)
	}
	return conn, nil
}

func (c *connector) connect(ctx context.Context) (driver.Conn, error) {
	h := c.handle
	var config *pgx.ConnConfig
	if c.base != nil {
		config = c.base.Copy()
	} else {
		dsn, err := h.login.dsn(ctx)
		if err != nil {
			return nil, err
		}
		if config, err = h.config(dsn); err != nil {
			return nil, err
		}
	}
	if err := h.login.apply(ctx, config); err != nil {
		return nil, err
	}
	return stdlib.GetConnector(*config,
		stdlib.OptionAfterConnect(closeIfTooOld),
		stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }),
		stdlib.OptionResetSession(h.check)).Connect(ctx)
}

func (h *Handle) config(dsn string) (*pgx.ConnConfig, error) {
	if dsn == "" {
		return nil, &workflow.DatabaseFailed{Message: h.variables.url + " is not set: give the function a PostgreSQL URL such as postgres://user:password@host:5432/database"}
	}
	if err := checkCA(h.ca); err != nil {
		return nil, err
	}
	config, err := parse(dsn, h.ca)
	if err != nil {
		return nil, &workflow.DatabaseFailed{Message: fmt.Sprintf("%s is malformed: %s", h.variables.url, malformed(err))}
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

// closeIfTooOld looks at the version that the server announces at each connect, which costs no statement.
func closeIfTooOld(ctx context.Context, conn *pgx.Conn) error {
	version := conn.PgConn().ParameterStatus("server_version")
	major, err := strconv.Atoi(leadingDigits(version))
	if err != nil || major >= oldestServer {
		return nil // a pooler in between may announce nothing
	}
	_ = conn.Close(ctx)
	where := net.JoinHostPort(conn.Config().Host, strconv.Itoa(int(conn.Config().Port)))
	return &workflow.DatabaseFailed{Message: fmt.Sprintf("PostgreSQL at %s is version %s, too old: upgrade it to %d or later", where, version, oldestServer)}
}

func leadingDigits(s string) string {
	return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
}

// refused tells whether PostgreSQL said no to the user and the password.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == invalidPassword || pg.Code == invalidAuth)
}
