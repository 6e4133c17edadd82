// Package postgres runs a private PostgreSQL server for the local runtime and for tests.
//
// The server is a child of this process, listens on a free port of 127.0.0.1 only, and is gone when this process is
// gone, however it ended (see watchdog). It is a server to throw away: nothing here is meant for data that matters.
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Database is the name of the database that Start creates.
const Database = "fanmail"

const superuser = "postgres"

// Config says how to start a server. Its zero value is good.
type Config struct {
	// Directory holds the data directory, the log and the password, and is kept at Stop: a later Start with the same
	// Directory finds the data again. "" means a temporary directory, removed at Stop.
	Directory string

	// MaxConnections is max_connections of the server; 0 means 100, PostgreSQL's own default.
	MaxConnections int

	// Durable makes a commit survive Kill and a crash of the machine, as a production server does. Without it the
	// server runs with fsync, synchronous_commit and full_page_writes off: faster, and fit only for data that may be lost.
	Durable bool

	// CountStatements loads pg_stat_statements, where this PostgreSQL has it. The extension is not created.
	CountStatements bool

	// Settings are further parameters of the server, which win over those above.
	Settings map[string]string

	// Logger is told of starts and stops; nil means none. The server's own log is the file postgres.log in Directory.
	Logger *slog.Logger
}

// Server is a PostgreSQL server that belongs to this process. Its methods may be called by several goroutines.
type Server struct {
	config   Config
	binaries string // the directory of initdb and postgres
	owner    *owner // who runs them; nil: we ourselves
	base     string // holds data/, password and postgres.log
	password string
	watchdog *watchdog

	mu         sync.Mutex
	port       int
	postmaster *process // nil: not running
	stopped    bool
}

// Start creates a server (or takes up the one in config.Directory) and returns when it accepts connections. The context
// bounds the start only; the server runs until Stop, or until this process ends.
func Start(ctx context.Context, config Config) (*Server, error) {
	if config.MaxConnections == 0 {
		config.MaxConnections = 100
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	server := &Server{config: config}
	if err := server.create(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting a local PostgreSQL: %w", err), server.Stop())
	}
	return server, nil
}

func (s *Server) create(ctx context.Context) error {
	var err error
	if s.binaries, err = findBinaries(ctx, s.config.Logger); err != nil {
		return err
	}
	if s.owner, err = findOwner(); err != nil {
		return err
	}
	if err := s.prepareDirectory(); err != nil {
		return err
	}
	if err := s.initialize(ctx); err != nil {
		return err
	}
	return s.Restart(ctx)
}

// prepareDirectory makes the base directory, belonging to who runs the server, and starts the watchdog over it.
func (s *Server) prepareDirectory() error {
	remove := ""
	if s.config.Directory == "" {
		directory, err := os.MkdirTemp("", "fanmail-postgres-")
		if err != nil {
			return err
		}
		s.base, remove = directory, directory
	} else {
		directory, err := filepath.Abs(s.config.Directory)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
		s.base = directory
	}
	var err error
	if s.watchdog, err = startWatchdog(remove); err != nil {
		if remove != "" {
			err = errors.Join(err, os.RemoveAll(remove))
		}
		return err
	}
	return s.owner.take(s.base)
}

// URL is the address of the database "fanmail" for the superuser, password included. It stays the same over Restart.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address(Database)
}

func (s *Server) address(database string) string {
	address := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, s.password),
		Host:     fmt.Sprintf("127.0.0.1:%d", s.port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

// Stop ends all sessions, stops the server and, unless Config.Directory was given, removes its data. A second Stop does
// nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	err := s.end(fastShutdown)
	if s.watchdog != nil {
		err = errors.Join(err, s.watchdog.finish())
	}
	return err
}

// Kill stops the server in PostgreSQL's immediate mode: sessions are cut off and nothing is flushed, so that the next
// Restart begins with crash recovery. What had been committed is there again only if Config.Durable was set.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(immediateShutdown)
}

// Restart stops the server, if it is running, and starts it again on the same port with the same data.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("the local PostgreSQL server has been stopped for good")
	}
	if err := s.end(fastShutdown); err != nil {
		return err
	}
	return s.begin(ctx)
}

// readPassword reads the superuser's password of an existing data directory, or chooses one for a new directory.
func (s *Server) readPassword() error {
	file := filepath.Join(s.base, "password")
	data, err := os.ReadFile(file)
	if err == nil {
		s.password = strings.TrimSpace(string(data))
		return nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.base, "data")); err == nil {
		return fmt.Errorf("%s holds a data directory but not its password file %s: remove the directory or choose another", s.base, file)
	}
	s.password = rand.Text()
	if err := os.WriteFile(file, []byte(s.password+"\n"), 0o600); err != nil {
		return err
	}
	return s.owner.take(file)
}

// startTimeout bounds one start; crash recovery of a large data directory is the slowest case.
const startTimeout = time.Minute
