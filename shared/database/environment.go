package database

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"fanmail/shared/cloud"
	"fanmail/shared/workflow"
)

// FromEnvironment returns the handle that these variables of a function describe:
//
//	DATABASE_URL         the database, and the role of Fanmail in it; with DATABASE_AUTH=secret it may be empty
//	DATABASE_AUTH        password (or empty): the one in DATABASE_URL; iam: a token per connect; secret: DATABASE_SECRET_ARN
//	DATABASE_SECRET_ARN  the secret of AWS Secrets Manager that has username and password
//	DATABASE_CA          a PEM file of certificate authorities; empty means those of the system and of Amazon RDS
//
// What is wrong with them is the error of DB, where it reaches the execution.
func FromEnvironment(application string) *Handle {
	options := []Option{WithCA(os.Getenv("DATABASE_CA"))}
	option, err := authentication(os.Getenv("DATABASE_AUTH"), os.Getenv("DATABASE_SECRET_ARN"))
	if err != nil {
		h := New("", application)
		h.problem = err
		return h
	}
	return New(os.Getenv("DATABASE_URL"), application, append(options, option)...)
}

// AdminFromEnvironment returns the handle of DATABASE_ADMIN_URL, an administrator who may create roles, or nil when that is
// not set.
func AdminFromEnvironment(application string) *Handle {
	dsn := os.Getenv("DATABASE_ADMIN_URL")
	if dsn == "" {
		return nil
	}
	return New(dsn, application, WithCA(os.Getenv("DATABASE_CA")))
}

func authentication(kind, secretARN string) (Option, error) {
	switch kind {
	case "", "password":
		return func(*Handle) {}, nil
	case "iam", "secret":
	default:
		return nil, &workflow.DatabaseFailed{Message: fmt.Sprintf("DATABASE_AUTH is %q: write password, iam or secret", kind)}
	}
	if kind == "secret" && secretARN == "" {
		return nil, &workflow.DatabaseFailed{Message: "DATABASE_AUTH is secret, but DATABASE_SECRET_ARN is not set: name the secret that has the username and the password"}
	}
	c, err := cloud.Config(context.Background())
	if err != nil {
		return nil, &workflow.DatabaseFailed{Message: oneLine(err)}
	}
	if kind == "iam" {
		return WithIAM(c), nil
	}
	return WithSecret(secretARN, c), nil
}

// Login is what a handle logs in with.
type Login struct {
	User string
	// Password is empty with IAM.
	Password string
	IAM      bool
}

// Login tells what the handle logs in with, without connecting. The secret is read if there is one.
func (h *Handle) Login(ctx context.Context) (Login, error) {
	c := &connector{handle: h}
	if err := c.prepare(); err != nil {
		return Login{}, err
	}
	if _, ok := h.login.(iam); ok {
		return Login{User: c.base.User, IAM: true}, nil
	}
	config := c.base
	if config == nil {
		config = new(pgx.ConnConfig)
	}
	if err := h.login.apply(ctx, config); err != nil {
		return Login{}, err
	}
	return Login{User: config.User, Password: config.Password}, nil
}
