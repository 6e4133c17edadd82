package database_test

import (
	"testing"

	"fanmail/shared/database"
)

// environment is the variables of a login, and what is wrong with them; want is "" where nothing is.
type environment struct{ name, auth, secret, ca, dsn, want string }

// run opens a handle by the variables that begin with prefix.
func (e environment) run(t *testing.T, prefix string, open func(application string) *database.Handle) {
	t.Run(e.name, func(t *testing.T) {
		t.Setenv(prefix+"URL", e.dsn)
		t.Setenv(prefix+"AUTH", e.auth)
		t.Setenv(prefix+"SECRET_ARN", e.secret)
		t.Setenv("DATABASE_CA", e.ca)
		handle := open("fanmail-test")
		defer func() { _ = handle.Close() }()
		_, err := handle.DB()
		if e.want != "" {
			wantFailed(t, err, e.want)
		} else if err != nil {
			t.Error(err)
		}
	})
}

func TestTheEnvironmentSaysHowToConnect(t *testing.T) {
	for _, name := range []string{"DATABASE_URL", "DATABASE_AUTH", "DATABASE_SECRET_ARN", "DATABASE_CA", "DATABASE_ADMIN_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	for _, test := range []environment{
		{"nothing", "", "", "", "", "DATABASE_URL is not set"},
		{"password", "password", "", "", "", "DATABASE_URL is not set"},
		{"iam without a URL", "iam", "", "", "", "DATABASE_URL is not set"},
		{"a kind that there is not", "kerberos", "", "", "postgres://u@h/d", `DATABASE_AUTH is "kerberos": write password, iam or secret`},
		{"no secret", "secret", "", "", "postgres://u@h/d", "DATABASE_SECRET_ARN is not set"},
		{"no CA", "", "", "/nowhere/ca.pem", "postgres://u@h/d", "DATABASE_CA can't be read"},
		{"no CA for a secret", "secret", secretARN, "/nowhere/ca.pem", "", "DATABASE_CA can't be read"},
		{"good", "", "", "", "postgres://u:p@h/d", ""},
		{"good with iam", "iam", "", "", "postgres://u@h/d", ""},
		{"good with a secret", "secret", secretARN, "", "", ""},
	} {
		test.run(t, "DATABASE_", database.FromEnvironment)
	}
}

func TestTheEnvironmentSaysHowTheAdministratorConnects(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("DATABASE_URL", "postgres://fanmail@h/d")
	t.Setenv("DATABASE_AUTH", "iam")
	for _, test := range []environment{
		{"password", "password", "", "", "", "DATABASE_ADMIN_URL is not set"},
		{"iam without a URL", "iam", "", "", "", "DATABASE_ADMIN_URL is not set"},
		{"a kind that there is not", "Secret", "", "", "postgres://u@h/d", `DATABASE_ADMIN_AUTH is "Secret": write password, iam or secret`},
		{"no secret", "secret", "", "", "postgres://u@h/d", "DATABASE_ADMIN_AUTH is secret, but DATABASE_ADMIN_SECRET_ARN is not set"},
		{"no CA", "", "", "/nowhere/ca.pem", "postgres://u@h/d", "DATABASE_CA can't be read"},
		{"no URL at all", "", "", "", "postgres//u@h/d", "DATABASE_ADMIN_URL is malformed"},
		{"good", "", "", "", "postgres://u:p@h/d", ""},
		{"good by a URL although there is a secret", "", secretARN, "", "postgres://u:p@h/d", ""},
		{"good with iam", "iam", "", "", "postgres://u@h/d", ""},
		{"good with a secret", "", secretARN, "", "", ""},
		{"good with a secret on a server of its own", "secret", secretARN, "", "postgres://h/d", ""},
	} {
		test.run(t, "DATABASE_ADMIN_", database.AdminFromEnvironment)
	}
	for _, name := range []string{"DATABASE_ADMIN_URL", "DATABASE_ADMIN_AUTH", "DATABASE_ADMIN_SECRET_ARN"} {
		t.Setenv(name, "")
	}
	if database.AdminFromEnvironment("fanmail-migrate") != nil {
		t.Error("there is an administrator without a variable")
	}
	t.Setenv("DATABASE_ADMIN_URL", "postgres://postgres:p@h/d")
	if login, err := database.AdminFromEnvironment("fanmail-migrate").Login(t.Context()); err != nil || login.User != "postgres" || login.Password != "p" {
		t.Errorf("%+v %v", login, err)
	}
	t.Setenv("DATABASE_ADMIN_AUTH", "iam")
	if login, err := database.AdminFromEnvironment("fanmail-migrate").Login(t.Context()); err != nil || login != (database.Login{User: "postgres", IAM: true}) {
		t.Errorf("%+v %v", login, err)
	}
}
