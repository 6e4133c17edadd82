package database

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"fanmail/shared/workflow"
)

// WithSecret logs in with the user and the password of a secret in AWS Secrets Manager. It is JSON as RDS writes it:
// username, password, and (used only where the connection string is empty) host, port and dbname. It is kept until
// PostgreSQL refuses it, so a rotation is followed.
func WithSecret(arn string, c aws.Config) Option {
	return func(h *Handle) {
		h.login = &secret{arn: arn, variables: h.variables, client: secretsmanager.NewFromConfig(c)}
	}
}

type secret struct {
	arn       string
	variables variables
	client    *secretsmanager.Client

	mu   sync.Mutex
	kept *secretValue
}

// secretValue is https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html. The port
// is written as a number by some, as a string by others.
type secretValue struct {
	Username string      `json:"username"`
	Password string      `json:"password"`
	Host     string      `json:"host"`
	Port     json.Number `json:"port"`
	Database string      `json:"dbname"`
}

func (s *secret) value(ctx context.Context) (secretValue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept != nil {
		return *s.kept, nil
	}
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.arn})
	if err != nil {
		return secretValue{}, asked("reading the secret "+s.arn, fmt.Sprintf("; check %s, and allow the function secretsmanager:GetSecretValue on it", s.variables.secret), err)
	}
	var v secretValue
	// The JSON error may quote the secret, so it is not shown.
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &v); err != nil || v.Username == "" || v.Password == "" {
		return v, &workflow.DatabaseFailed{Message: fmt.Sprintf(`the secret %s is not a database login: write {"username": "...", "password": "..."} into it`, s.arn)}
	}
	s.kept = &v
	return v, nil
}

func (s *secret) apply(ctx context.Context, config *pgx.ConnConfig) error {
	v, err := s.value(ctx)
	if err != nil {
		return err
	}
	config.User, config.Password = v.Username, v.Password
	return nil
}

func (s *secret) saysHost() bool { return true }

func (s *secret) dsn(ctx context.Context) (string, error) {
	v, err := s.value(ctx)
	if err != nil {
		return "", err
	}
	if v.Host == "" {
		return "", &workflow.DatabaseFailed{Message: fmt.Sprintf("%[1]s is not set and the secret %[2]s has no host: set %[1]s to postgres://host:5432/database", s.variables.url, s.arn)}
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(v.Username, v.Password), Host: v.Host, Path: "/" + v.Database}
	if v.Port != "" {
		u.Host = net.JoinHostPort(v.Host, v.Port.String())
	}
	return u.String(), nil
}

func (s *secret) forget() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = nil
	return true
}

func (s *secret) explain(err error) error {
	var pg *pgconn.PgError
	if !refused(err) || !errors.As(err, &pg) {
		return err
	}
	return &workflow.DatabaseFailed{Message: fmt.Sprintf("PostgreSQL refused the login of the secret %s: %s; write the role's password into the secret, or rotate it", s.arn, pg.Message)}
}

// asked names the error of a call of AWS: one that AWS would answer in the same way again ends the campaign.
func asked(doing, advice string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) != aws.TrueTernary {
		return &workflow.DatabaseFailed{Message: fmt.Sprintf("%s: %s: %s%s", doing, api.ErrorCode(), oneLine(errors.New(api.ErrorMessage())), advice)}
	}
	return &workflow.Interrupted{Message: fmt.Sprintf("%s: %s", doing, oneLine(err))}
}
