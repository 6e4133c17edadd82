package database_test

import (
	"fmt"
	"net/url"
	"testing"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
)

// administrator makes a server whose only password is that of the secret, and sets the environment of migrate.
func administrator(t *testing.T) (s *secrets, admin *url.URL, password string) {
	t.Helper()
	server := postgrestest.Server(t, postgres.Config{})
	admin, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ = admin.User.Password()
	s = newSecrets(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1",
		"DATABASE_ADMIN_URL": "", "DATABASE_ADMIN_AUTH": "secret", "DATABASE_ADMIN_SECRET_ARN": secretARN, "DATABASE_CA": "",
		"DATABASE_AUTH": "iam",
		"DATABASE_URL":  change(t, server.URL(), func(u *url.URL, _ url.Values) { u.User = url.User("fanmail") }),
	} {
		t.Setenv(name, value)
	}
	return s, admin, password
}

func TestTheAdministratorsSecretNeedsNoMoreThanRDSWrites(t *testing.T) {
	s, admin, password := administrator(t)
	login := func(want string) {
		t.Helper()
		handle := database.AdminFromEnvironment("fanmail-migrate")
		defer func() { _ = handle.Close() }()
		if user, err := connect(handle); user != want || err != nil {
			t.Errorf("connected as %q, %v", user, err)
		}
	}
	// The secret that RDS keeps of its master user has nothing else in it: the server is that of the functions.
	s.set(fmt.Sprintf(`{"username":"postgres","password":%q}`, password), "")
	login("postgres")
	// The host of DATABASE_URL is the one that the functions use; that of the secret may be the writer behind a proxy.
	s.set(fmt.Sprintf(`{"username":"postgres","password":%q,"engine":"postgres","host":"db.invalid","port":5432,"dbInstanceIdentifier":"x"}`, password), "")
	login("postgres")
	t.Setenv("DATABASE_ADMIN_URL", change(t, admin.String(), func(u *url.URL, _ url.Values) { u.User = nil }))
	t.Setenv("DATABASE_URL", "postgres://nowhere.invalid/fanmail")
	login("postgres")
	t.Setenv("DATABASE_ADMIN_URL", "")
	t.Setenv("DATABASE_URL", "")
	s.set(fmt.Sprintf(`{"username":"postgres","password":%q,"host":"127.0.0.1","port":%s,"dbname":"postgres"}`, password, admin.Port()), "")
	login("postgres")
}

func TestAnAdministratorsSecretThatIsOfNoUseSaysWhatToDo(t *testing.T) {
	s, _, _ := administrator(t)
	for _, test := range []struct{ value, refusal, url, want string }{
		{"", "AccessDeniedException", "postgres://h/d", "check DATABASE_ADMIN_SECRET_ARN, and allow the function secretsmanager:GetSecretValue"},
		{`{"username":"postgres","password":"x"}`, "", "", "DATABASE_URL is not set and the secret " + secretARN + " has no host: set DATABASE_URL to"},
		{`{"username":"postgres"}`, "", "postgres://h/d", "is not a database login"},
		{`{"username":"nobody_here","password":"x"}`, "", "", "PostgreSQL refused the login of the secret " + secretARN},
	} {
		t.Run(test.want, func(t *testing.T) {
			s.set(test.value, test.refusal)
			if test.url != "" || test.value == `{"username":"postgres","password":"x"}` {
				t.Setenv("DATABASE_URL", test.url)
			}
			handle := database.AdminFromEnvironment("fanmail-migrate")
			defer func() { _ = handle.Close() }()
			_, err := connect(handle)
			wantFailed(t, err, test.want)
		})
	}
}
