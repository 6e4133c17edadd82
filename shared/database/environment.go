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
	return fromVariables(application, functionVariables, os.Getenv(functionVariables.auth))
}

// AdminFromEnvironment returns the handle of an administrator, who may create roles and tables, or nil when none is
// given:
//
//	DATABASE_ADMIN_URL         the database, and the administrator in it
//	DATABASE_ADMIN_AUTH        password, iam or secret; empty means password if there is a DATABASE_ADMIN_URL, else
//	                           secret if there is a DATABASE_ADMIN_SECRET_ARN
//	DATABASE_ADMIN_SECRET_ARN  the administrator's secret, as RDS writes it. Without a DATABASE_ADMIN_URL host and
//	                           database are those of DATABASE_URL, and if that is empty, those of the secret
func AdminFromEnvironment(application string) *Handle {
	v, kind := adminVariables, os.Getenv(adminVariables.auth)
	if kind == "" {
		switch {
		case os.Getenv(v.url) != "":
			kind = "password"
		case os.Getenv(v.secret) != "":
			kind = "secret"
		default:
			return nil
		}
	}
	if kind == "secret" && os.Getenv(v.url) == "" {
		v.url = functionVariables.url
	}
	return fromVariables(application, v, kind)
}

// variables are those that say how to log in.
type variables struct{ url, auth, secret string }

var (
	functionVariables = variables{"DATABASE_URL", "DATABASE_AUTH", "DATABASE_SECRET_ARN"}
	adminVariables    = variables{"DATABASE_ADMIN_URL", "DATABASE_ADMIN_AUTH", "DATABASE_ADMIN_SECRET_ARN"}
)

func fromVariables(application string, v variables, kind string) *Handle {
	called := func(h *Handle) { h.variables = v }
	option, err := authentication(v, kind)
	if err != nil {
		h := New("", application)
		h.problem = err
		return h
	}
	return New(os.Getenv(v.url), application, called, WithCA(os.Getenv("DATABASE_CA")), option)
}

func authentication(v variables, kind string) (Option, error) {
	secretARN := os.Getenv(v.secret)
	switch kind {
	case "", "password":
		return func(*Handle) {}, nil
	case "iam", "secret":
	default:
		return nil, &workflow.DatabaseFailed{Message: fmt.Sprintf("%s is %q: write password, iam or secret", v.auth, kind)}
	}
	if kind == "secret" && secretARN == "" {
		return nil, &workflow.DatabaseFailed{Message: fmt.Sprintf(
			"%s is secret, but %s is not set: name the secret that has the username and the password", v.auth, v.secret)}
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
