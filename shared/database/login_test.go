package database_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/database"
	"fanmail/shared/workflow"
)

// secrets is AWS Secrets Manager with one secret.
type secrets struct {
	*httptest.Server
	mu    sync.Mutex
	value string
	// refusal is the name of the error to answer with; "" means none.
	refusal string
	reads   int
}

const secretARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:fanmail-AbCdEf"

func newSecrets(t *testing.T) *secrets {
	s := &secrets{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reads++
		body, _ := io.ReadAll(r.Body)
		var in struct{ SecretId string }
		if err := json.Unmarshal(body, &in); err != nil || in.SecretId != secretARN || r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" {
			t.Errorf("unexpected request %s %s", r.Header.Get("X-Amz-Target"), body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if s.refusal != "" {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": s.refusal, "message": "not for you"})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"ARN": secretARN, "SecretString": s.value})
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *secrets) set(value, refusal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value, s.refusal = value, refusal
}

func (s *secrets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func (s *secrets) config() aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), RetryMaxAttempts: 1}
}

func execute(t *testing.T, dsn, statement string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// connect opens a new connection with the handle, whatever it had before, and returns its user.
func connect(handle *database.Handle) (user string, err error) {
	_ = handle.Close()
	db, err := handle.DB()
	if err != nil {
		return "", err
	}
	err = db.NewRaw("select current_user").Scan(context.Background(), &user)
	return user, database.Explain(err)
}

func TestARotatedSecretIsFollowed(t *testing.T) {
	server := postgrestest.Server(t, postgres.Config{})
	execute(t, server.URL(), "create role mailer login password 'old'; create role mailer_clone login password 'cloned'")
	admin, _ := url.Parse(server.URL())
	without := change(t, server.URL(), func(u *url.URL, _ url.Values) { u.User = nil })
	secretOf := func(user, password string) string {
		return fmt.Sprintf(`{"engine":"postgres","host":"db.invalid","username":%q,"password":%q,"port":5432}`, user, password)
	}
	s := newSecrets(t)
	s.set(secretOf("mailer", "old"), "")
	handle := database.New(without, "fanmail-test", database.WithSecret(secretARN, s.config()))
	t.Cleanup(func() { _ = handle.Close() })
	want := func(user string, reads int) {
		t.Helper()
		if got, err := connect(handle); got != user || err != nil {
			t.Fatalf("connected as %q, %v", got, err)
		}
		if s.count() != reads {
			t.Errorf("the secret was read %d times, want %d", s.count(), reads)
		}
	}
	want("mailer", 1)
	want("mailer", 1) // kept
	execute(t, server.URL(), "alter role mailer password 'new'")
	s.set(secretOf("mailer", "new"), "")
	want("mailer", 2) // refused, read again, accepted
	s.set(secretOf("mailer_clone", "cloned"), "")
	execute(t, server.URL(), "alter role mailer nologin") // 28000
	want("mailer_clone", 3)

	execute(t, server.URL(), "alter role mailer_clone password 'changed by hand'")
	_, err := connect(handle)
	wantFailed(t, err, "PostgreSQL refused the login of the secret "+secretARN)

	// Without DATABASE_URL the secret says everything.
	s.set(fmt.Sprintf(`{"host":"127.0.0.1","port":"%s","dbname":"%s","username":"postgres","password":%q}`,
		admin.Port(), strings.TrimPrefix(admin.Path, "/"), func() string { p, _ := admin.User.Password(); return p }()), "")
	whole := database.New("", "fanmail-test", database.WithSecret(secretARN, s.config()))
	defer func() { _ = whole.Close() }()
	if user, err := connect(whole); user != "postgres" || err != nil {
		t.Errorf("%q %v", user, err)
	}
	if login, err := whole.Login(t.Context()); err != nil || login.User != "postgres" || login.Password == "" || login.IAM {
		t.Errorf("login as %q, %v", login.User, err)
	}
}

func TestASecretThatIsOfNoUseSaysWhatToDo(t *testing.T) {
	s := newSecrets(t)
	for _, test := range []struct{ name, value, refusal, want string }{
		{"denied", "", "AccessDeniedException", "AccessDeniedException: not for you; check DATABASE_SECRET_ARN, and allow the function secretsmanager:GetSecretValue"},
		{"none", "", "ResourceNotFoundException", "check DATABASE_SECRET_ARN"},
		{"no JSON", "hunter2", "", `write {"username": "...", "password": "..."} into it`},
		{"no password", `{"username":"mailer"}`, "", "is not a database login"},
		{"no host", `{"username":"mailer","password":"hunter2"}`, "", "has no host: set DATABASE_URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.set(test.value, test.refusal)
			handle := database.New("", "fanmail-test", database.WithSecret(secretARN, s.config()))
			defer func() { _ = handle.Close() }()
			_, err := connect(handle)
			wantFailed(t, err, test.want)
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it shows the secret: %v", err)
			}
		})
	}
	s.set("", "ThrottlingException")
	handle := database.New("", "fanmail-test", database.WithSecret(secretARN, s.config()))
	defer func() { _ = handle.Close() }()
	if _, err := connect(handle); err == nil || fmt.Sprintf("%T", err) != fmt.Sprintf("%T", &workflow.Interrupted{}) {
		t.Errorf("throttled: %T %v", err, err)
	}
}

// counting are credentials that count how often they are asked for: once per token.
type counting struct {
	mu sync.Mutex
	n  int
}

func (c *counting) Retrieve(context.Context) (aws.Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return aws.Credentials{AccessKeyID: fmt.Sprintf("KEY%d", c.n), SecretAccessKey: "secret"}, nil
}

func TestEachConnectHasAnIAMTokenOfItsOwn(t *testing.T) {
	// RDS takes the token as a clear-text password, within TLS; here it is a fake server that writes them down.
	passwords := make(chan string, 4)
	address := fakeServer(t, "16.2", passwords)
	c := &counting{}
	handle := database.New("postgres://mailer@"+address+"/fanmail?sslmode=disable", "fanmail-test",
		database.WithIAM(aws.Config{Region: "eu-central-1", Credentials: c}))
	t.Cleanup(func() { _ = handle.Close() })
	for i := 1; i <= 2; i++ {
		_ = handle.Close()
		db, err := handle.DB()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := db.PingContext(ctx); err != nil {
			t.Fatal(err)
		}
		token, err := url.Parse("https://" + <-passwords)
		if err != nil {
			t.Fatal(err)
		}
		query := token.Query()
		if token.Host != address || query.Get("DBUser") != "mailer" || query.Get("Action") != "connect" ||
			!strings.HasPrefix(query.Get("X-Amz-Credential"), fmt.Sprintf("KEY%d/", i)) || !strings.Contains(query.Get("X-Amz-Credential"), "/eu-central-1/rds-db/") {
			t.Errorf("token %s", token)
		}
	}
	if login, err := handle.Login(t.Context()); err != nil || login != (database.Login{User: "mailer", IAM: true}) {
		t.Errorf("%+v %v", login, err)
	}
	// A real server that knows nothing of IAM refuses.
	refusing := database.New(postgrestest.New(t), "fanmail-test", database.WithIAM(aws.Config{Region: "eu-central-1", Credentials: c}))
	defer func() { _ = refusing.Close() }()
	_, err := connect(refusing)
	wantFailed(t, err, "grant rds_iam to the role")
}
