package local

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"fanmail/local/postgres"
)

// startDatabase starts a private PostgreSQL unless there is a URL, chooses the role of the functions, and watches the sessions.
func (r *Runtime) startDatabase(ctx context.Context) error {
	r.databaseURL = r.options.DatabaseURL
	if _, err := url.Parse(r.databaseURL); err != nil && strings.Contains(r.databaseURL, "://") {
		return errors.New("DATABASE_URL is malformed: write postgres://user:password@host:5432/database, and percent-encode the special characters of the user and the password")
	}
	if r.databaseURL == "" {
		server, err := r.startPostgres(ctx)
		if err != nil {
			return err
		}
		r.onClose("PostgreSQL", server.Stop)
		r.databaseURL = server.URL()
	}
	if err := r.chooseRole(ctx); err != nil {
		return err
	}
	connections, err := watch(ctx, r.databaseURL, r.role.name, r.options.Logger)
	if err != nil {
		return err
	}
	r.connections = connections
	r.onClose("the watch of the connections", connections.close)
	return nil
}

// startPostgres starts a private server, in our directory if that is kept.
func (r *Runtime) startPostgres(ctx context.Context) (*postgres.Server, error) {
	config := postgres.Config{
		Logger: r.options.Logger, MaxConnections: max(100, r.ConnectionBound()+20), CountStatements: r.options.CountStatements,
	}
	if r.options.Directory == "" {
		// A temporary server chooses its directory itself: the user who runs it may not enter ours.
		return postgres.Start(ctx, config)
	}
	config.Directory = filepath.Join(r.directory, "postgres")
	// What was committed must survive when we are killed, or the ledger would forget who was mailed. The machine may not go down.
	config.Settings = map[string]string{"synchronous_commit": "on", "full_page_writes": "on"}
	ctx, cancel := context.WithTimeout(ctx, predecessorTimeout)
	defer cancel()
	for {
		server, err := postgres.Start(ctx, config)
		if err == nil || !ofPredecessor(err) {
			return server, err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// predecessorTimeout bounds the start of a server in a kept directory, crash recovery included.
const predecessorTimeout = 90 * time.Second

// ofPredecessor tells that the server of a runtime which was killed has not yet ended. Its watchdog ends it.
func ofPredecessor(err error) bool {
	for _, text := range []string{`lock file "postmaster.pid" already exists`, "pre-existing shared memory block"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
