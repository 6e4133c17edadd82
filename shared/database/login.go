package database

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fanmail/shared/workflow"
)

// loginTimeout bounds the calls of AWS that one login takes.
const loginTimeout = 5 * time.Second

// login is where the user and the password of a connection come from.
type login interface {
	// apply sets them. It is called at each connect.
	apply(context.Context, *pgx.ConnConfig) error
	// saysHost tells whether dsn may be asked where there is no connection string.
	saysHost() bool
	dsn(context.Context) (string, error)
	// forget drops what PostgreSQL refused; true means that another try may be lucky.
	forget() bool
	// explain turns the error of a connect that was refused into one that says what to do about this kind of login.
	explain(error) error
}

// written is a login that stands in the connection string.
type written struct{}

func (written) apply(context.Context, *pgx.ConnConfig) error { return nil }
func (written) saysHost() bool                               { return false }
func (written) dsn(context.Context) (string, error)          { return "", nil }
func (written) forget() bool                                 { return false }
func (written) explain(err error) error                      { return err }

// WithIAM logs in with IAM tokens for the connection string's user, in the region and with the credentials of c. A token
// lives 15 minutes and is only looked at when connecting, so each connect gets a fresh one.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
func WithIAM(c aws.Config) Option {
	return func(h *Handle) { h.login = iam{config: c, url: h.variables.url} }
}

type iam struct {
	written
	config aws.Config
	// url is the variable with the connection string.
	url string
}

func (l iam) apply(ctx context.Context, config *pgx.ConnConfig) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	endpoint := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if !onThisMachine(config) && !encrypted(config) {
		return &workflow.DatabaseFailed{Message: fmt.Sprintf("an IAM token must not cross the network unencrypted: take sslmode out of %s, or write sslmode=verify-full", l.url)}
	}
	if l.config.Region == "" {
		return &workflow.DatabaseFailed{Message: "an IAM token for PostgreSQL needs a region: set AWS_REGION"}
	}
	token, err := auth.BuildAuthToken(ctx, endpoint, l.config.Region, config.User, l.config.Credentials)
	if err != nil {
		return asked(fmt.Sprintf("making an IAM token for %s", endpoint), "", err)
	}
	config.Password = token
	return nil
}

// encrypted tells whether no attempt to connect goes without TLS.
func encrypted(config *pgx.ConnConfig) bool {
	for _, fallback := range config.Fallbacks {
		if fallback.TLSConfig == nil {
			return false
		}
	}
	return config.TLSConfig != nil
}

func (l iam) explain(err error) error {
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	if !refused(err) || !errors.As(err, &pg) || !errors.As(err, &connect) {
		return err
	}
	return &workflow.DatabaseFailed{Message: fmt.Sprintf("PostgreSQL refused the IAM token: %s; enable IAM authentication on the instance, grant rds_iam to the role %s (migrate does), and allow the function rds-db:connect for it",
		pg.Message, connect.Config.User)}
}
