package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The shutdown modes of PostgreSQL, by the signal that asks the postmaster for them.
// https://www.postgresql.org/docs/current/server-shutdown.html
const (
	fastShutdown      = syscall.SIGINT
	immediateShutdown = syscall.SIGQUIT
)

// initialize runs initdb unless the data directory is there already.
func (s *Server) initialize(ctx context.Context) error {
	if err := s.readPassword(); err != nil {
		return err
	}
	data := filepath.Join(s.base, "data")
	if version, err := os.ReadFile(filepath.Join(data, "PG_VERSION")); err == nil {
		return s.checkVersion(ctx, data, strings.TrimSpace(string(version)))
	}
	// initdb works beside the final name: a directory that an interrupted initdb left behind is never taken for data.
	unfinished := data + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	log, err := s.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	initdb, err := s.spawn(log, "initdb", "--pgdata="+unfinished, "--username="+superuser, "--auth=scram-sha-256",
		"--pwfile="+filepath.Join(s.base, "password"), "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	if err := initdb.wait(ctx); err != nil {
		return fmt.Errorf("initdb: %w%s", err, s.logTail())
	}
	return os.Rename(unfinished, data)
}

func (s *Server) checkVersion(ctx context.Context, data, version string) error {
	major, err := majorVersion(ctx, s.binaries)
	if err != nil {
		return err
	}
	if version != strconv.Itoa(major) {
		return fmt.Errorf("%s was made by PostgreSQL %s, but the binaries in %s are version %d: remove the directory or choose another",
			data, version, s.binaries, major)
	}
	return nil
}

// begin starts the postmaster and waits until it accepts connections. The first start chooses the port, and chooses
// again when another process was quicker to take it.
func (s *Server) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("the server did not accept connections within %s", startTimeout))
	defer cancel()
	fixed := s.port != 0
	for attempt := 1; ; attempt++ {
		if !fixed {
			port, err := freePort()
			if err != nil {
				return err
			}
			s.port = port
		}
		err := s.launch(ctx)
		if err == nil {
			s.config.Logger.Info("PostgreSQL started", "port", s.port, "pid", s.postmaster.pid(), "binaries", s.binaries, "directory", s.base)
			return nil
		}
		taken := strings.Contains(err.Error(), "Address already in use")
		if err = errors.Join(err, s.end(immediateShutdown)); fixed || !taken || attempt == 5 {
			return err
		}
	}
}

func (s *Server) launch(ctx context.Context) error {
	log, err := s.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	arguments := []string{"-D", filepath.Join(s.base, "data")}
	for _, setting := range s.settings() {
		arguments = append(arguments, "-c", setting)
	}
	if s.postmaster, err = s.spawn(log, "postgres", arguments...); err != nil {
		return err
	}
	for {
		err := s.createDatabase(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w%s", context.Cause(ctx), err, s.logTail())
		case <-s.postmaster.exited:
			return fmt.Errorf("postgres ended at once: %w%s", s.postmaster.failure(), s.logTail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) settings() []string {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(s.port),
		// No Unix socket: its path would have to be short, writable by the server and out of everybody's way.
		"unix_socket_directories=",
		"max_connections=" + strconv.Itoa(s.config.MaxConnections),
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off",
	}
	if !s.config.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	if s.config.CountStatements && hasStatementCounter(s.binaries) {
		settings = append(settings, "shared_preload_libraries="+statementCounter)
	}
	for _, name := range slices.Sorted(maps.Keys(s.config.Settings)) {
		settings = append(settings, name+"="+s.config.Settings[name])
	}
	return settings
}

// createDatabase connects, which proves that the server is ready, and creates the database on the first start.
func (s *Server) createDatabase(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	connection, err := pgx.Connect(ctx, s.address("postgres"))
	if err != nil {
		return err
	}
	defer connection.Close(ctx)
	var exists bool
	if err := connection.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", Database).Scan(&exists); err != nil || exists {
		return err
	}
	_, err = connection.Exec(ctx, "CREATE DATABASE "+Database)
	return err
}

// end stops the postmaster, if there is one, with the given signal.
func (s *Server) end(mode syscall.Signal) error {
	if s.postmaster == nil {
		return nil
	}
	postmaster := s.postmaster
	s.postmaster = nil
	postmaster.signal(mode)
	select {
	case <-postmaster.exited:
	case <-time.After(20 * time.Second):
		// A fast shutdown may wait for a disk or a stuck session; immediate mode ends its own stragglers after 5 s.
		postmaster.signal(immediateShutdown)
		select {
		case <-postmaster.exited:
		case <-time.After(10 * time.Second):
			return fmt.Errorf("stopping PostgreSQL: process %d is still running%s", postmaster.pid(), s.logTail())
		}
	}
	s.config.Logger.Info("PostgreSQL stopped", "port", s.port)
	return s.watchdog.watch(0)
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
