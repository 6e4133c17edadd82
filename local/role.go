package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// roleName is the functions' role in a private server.
const roleName = "fanmail"

// role is the PostgreSQL role that the functions connect as.
type role struct {
	name string
	// url is the database's for this role.
	url string
	// ours means that migrate creates the role: with the connection limit of the deployment, as on AWS.
	ours bool
}

// chooseRole gives the functions a role of their own, never the superuser. In a database that was given, that takes a user who
// may create roles; any other user is taken as it is. Roles belong to a whole server, so there the name is this runtime's
// alone, and Close drops it; a runtime that is killed leaves it behind, for the next one in the same directory if there is one.
func (r *Runtime) chooseRole(ctx context.Context) error {
	password := rand.Text()
	if r.options.DatabaseURL == "" {
		r.role = role{name: roleName, url: withUser(r.databaseURL, roleName, password), ours: true}
		return nil
	}
	conn, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var user string
	var creates bool
	if err := conn.QueryRow(ctx, "SELECT rolname, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").Scan(&user, &creates); err != nil {
		return fmt.Errorf("asking PostgreSQL whether its user may create roles: %w", err)
	}
	if !creates {
		r.options.Logger.Info("the user of DATABASE_URL may not create roles, so the functions connect as that user", "user", user)
		r.role = role{name: user, url: r.databaseURL}
		return nil
	}
	name, err := r.ownRoleName()
	if err != nil {
		return err
	}
	r.role = role{name: name, url: withUser(r.databaseURL, name, password), ours: true}
	r.onClose("the functions' role", r.dropRole)
	return nil
}

// ownRoleName is the same for all runtimes in a kept directory: what a killed one left behind is used again.
func (r *Runtime) ownRoleName() (string, error) {
	name := "fanmail_local_" + strings.ToLower(rand.Text()[:12])
	if r.options.Directory == "" {
		return name, nil
	}
	file := filepath.Join(r.directory, "role")
	kept, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return name, os.WriteFile(file, []byte(name+"\n"), 0o644)
	}
	if kept := strings.TrimSpace(string(kept)); kept != "" {
		name = kept
	}
	return name, err
}

// dropRole is no failure of Close when the server is gone, or the start ended before there was a role.
func (r *Runtime) dropRole() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.tryDropRole(ctx); err != nil {
		r.options.Logger.Warn("the functions' role is still there", "role", r.role.name, "error", err)
	}
	return nil
}

func (r *Runtime) tryDropRole(ctx context.Context) error {
	conn, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", r.role.name).Scan(&exists); err != nil || !exists {
		return err
	}
	name := pgx.Identifier{r.role.name}.Sanitize()
	// A user who is no superuser may drop what a role has only as a member of it.
	_, err = conn.Exec(ctx, "GRANT "+name+" TO CURRENT_USER; DROP OWNED BY "+name+"; DROP ROLE "+name)
	return err
}

// connect opens a session of the runtime itself, which the watch does not count.
func (r *Runtime) connect(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(r.databaseURL)
	if err != nil {
		return nil, fmt.Errorf("reading the database's URL: %w", err)
	}
	config.RuntimeParams["application_name"] = watcher
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	return conn, nil
}

// withUser is a connection string for another user. A later setting of a key=value string counts over an earlier one.
func withUser(dsn, user, password string) string {
	if u, err := url.Parse(dsn); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		u.User = url.UserPassword(user, password)
		query := u.Query()
		query.Del("user")
		query.Del("password")
		u.RawQuery = query.Encode()
		return u.String()
	}
	return fmt.Sprintf("%s user=%s password=%s", dsn, user, password)
}
