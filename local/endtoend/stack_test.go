package endtoend

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/jackc/pgx/v5"

	"fanmail/local"
	"fanmail/local/postgres/postgrestest"
	"fanmail/local/ses"
	"fanmail/shared/workflow"
)

// patience is how long a test waits for anything; nothing here takes that long unless it is broken.
const patience = 100 * time.Second

// stack is a running local deployment with the SDK's clients on it.
type stack struct {
	*local.Runtime
	t          *testing.T
	executions *sfn.Client
	objects    *s3.Client
	functions  *lambda.Client
	ledger     *pgx.Conn
}

// deploy starts a deployment that ends with the test, on a database of its own unless o names one.
func deploy(t *testing.T, o local.Options) *stack {
	t.Helper()
	if o.DatabaseURL == "" {
		o.DatabaseURL = postgrestest.New(t)
	}
	o.LambdaBinaries = binaries
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	runtime, err := local.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runtime.Close(); err != nil {
			t.Error(err)
		}
	})
	config := aws.Config{
		Region:       local.Region,
		BaseEndpoint: aws.String(runtime.Endpoint()),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	}
	d := &stack{
		Runtime: runtime, t: t,
		executions: sfn.NewFromConfig(config), objects: s3.NewFromConfig(config), functions: lambda.NewFromConfig(config),
	}
	d.ledger = d.connect()
	return d
}

// connect opens a session on the ledger's database that ends with the test.
func (d *stack) connect() *pgx.Conn {
	d.t.Helper()
	connection, err := pgx.Connect(d.t.Context(), d.DatabaseURL())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = connection.Close(context.WithoutCancel(d.t.Context())) })
	return connection
}

func (d *stack) execute(statement string, arguments ...any) {
	d.t.Helper()
	if _, err := d.ledger.Exec(d.t.Context(), statement, arguments...); err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
}

// number is the one number that a query answers.
func (d *stack) number(query string, arguments ...any) (n int64) {
	d.t.Helper()
	if err := d.ledger.QueryRow(d.t.Context(), query, arguments...).Scan(&n); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// busySenders is how many senders run an invocation now.
func (d *stack) busySenders() int { return d.Lambda().Stats()["fanmail-local-send"].Busy }

// status asks the control function.
func (d *stack) status(campaign string) workflow.Report {
	d.t.Helper()
	var r workflow.Report
	d.invoke("control", workflow.ControlInput{Action: workflow.ActionStatus, Campaign: campaign}, &r)
	return r
}

// invoke calls a function directly; its error fails the test.
func (d *stack) invoke(function string, in, out any) {
	d.t.Helper()
	if err := d.tryInvoke(function, in, out); err != nil {
		d.t.Fatal(err)
	}
}

func (d *stack) tryInvoke(function string, in, out any) error {
	payload, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := d.functions.Invoke(d.t.Context(), &lambda.InvokeInput{FunctionName: aws.String("fanmail-local-" + function), Payload: payload})
	if err != nil {
		return err
	}
	if answer.FunctionError != nil {
		return errors.New(function + " answers " + string(answer.Payload))
	}
	return json.Unmarshal(answer.Payload, out)
}

func (d *stack) put(key, content string) {
	d.t.Helper()
	if _, err := d.objects.PutObject(d.t.Context(), &s3.PutObjectInput{Bucket: aws.String(d.Bucket()), Key: &key, Body: strings.NewReader(content)}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *stack) get(key string) string {
	d.t.Helper()
	out, err := d.objects.GetObject(d.t.Context(), &s3.GetObjectInput{Bucket: aws.String(d.Bucket()), Key: &key})
	if err != nil {
		d.t.Fatalf("%s: %v", key, err)
	}
	defer func() { _ = out.Body.Close() }()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(content)
}

// settings changes the SES account.
func (d *stack) settings(change func(*ses.Settings)) {
	d.t.Helper()
	if _, err := d.SES().Change(func(s *ses.Settings) error { change(s); return nil }); err != nil {
		d.t.Fatal(err)
	}
}

// await polls what other processes bring about.
func (d *stack) await(what string, condition func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(patience); !condition(); {
		if time.Now().After(deadline) {
			d.t.Fatalf("waited %s in vain for %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// of is the deployment for a subtest.
func (d *stack) of(t *testing.T) *stack {
	sub := *d
	sub.t = t
	return &sub
}
