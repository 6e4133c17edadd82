package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
)

// server is the private PostgreSQL of a half.
type server struct {
	*postgres.Server
	log string
	// version and slots are those of Half.
	version string
	slots   int
}

// startServer starts a server with few connections in directory.
func startServer(ctx context.Context, directory string) (*server, error) {
	s := &server{log: filepath.Join(directory, "postgres.log")}
	var err error
	if s.Server, err = postgres.Start(ctx, postgres.Config{Directory: directory, MaxConnections: maxConnections}); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, "alter system set log_line_prefix = '"+logPrefix+"'", "select pg_reload_conf()"); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// observer is the application_name of the experiment's own sessions, which do not count.
const observer = "accident-observer"

// connect opens a session of the superuser.
func (s *server) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.URL())
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = observer
	return pgx.ConnectConfig(ctx, config)
}

// exec runs statements as the superuser, and reads what the server is.
func (s *server) exec(ctx context.Context, statements ...string) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return conn.QueryRow(ctx, `select current_setting('server_version'),
		current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int`).Scan(&s.version, &s.slots)
}

// role creates an ordinary role without a connection limit, as applications commonly have, and returns its URL.
func (s *server) role(ctx context.Context, name string, grants ...string) (string, error) {
	password := rand.Text()
	statements := []string{"create role " + name + " login password '" + password + "'"}
	for _, grant := range grants {
		statements = append(statements, "grant "+grant+" to "+name)
	}
	if err := s.exec(ctx, statements...); err != nil {
		return "", err
	}
	address, err := url.Parse(s.URL())
	if err != nil {
		return "", err
	}
	address.User = url.UserPassword(name, password)
	return address.String(), nil
}

// sent counts the recipients whose mail is on record.
func (s *server) sent(ctx context.Context) (n int64, err error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "select count(*) from fanmail.recipient where state = 'sent'").Scan(&n)
	return n, err
}
