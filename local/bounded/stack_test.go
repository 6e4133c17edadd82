package bounded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/jackc/pgx/v5"

	"fanmail/local"
	"fanmail/local/postgres"
	"fanmail/local/postgres/postgrestest"
	"fanmail/local/ses"
	"fanmail/shared/workflow"
)

// patience is how long a test waits for anything; nothing here takes that long unless it is broken.
const patience = 50 * time.Second

// stack is a running local deployment on a PostgreSQL of its own, with a proxy between the two.
type stack struct {
	*local.Runtime
	t          *testing.T
	server     *postgres.Server
	proxy      *proxy
	executions *sfn.Client
	objects    *s3.Client
	functions  *lambda.Client
}

// deploy starts a deployment that ends with the test.
func deploy(t *testing.T, c postgres.Config, o local.Options) *stack {
	t.Helper()
	d := &stack{t: t, server: postgrestest.Server(t, c)}
	d.proxy, o.DatabaseURL = newProxy(t, d.server.URL())
	o.LambdaBinaries = binaries
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	if d.Runtime, err = local.Start(ctx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	config := local.ClientConfig(d.Endpoint())
	d.executions, d.objects, d.functions = sfn.NewFromConfig(config), s3.NewFromConfig(config), lambda.NewFromConfig(config)
	return d
}

// of is the deployment for a subtest.
func (d *stack) of(t *testing.T) *stack {
	sub := *d
	sub.t = t
	return &sub
}

// query runs a statement as the superuser, in a session of its own that does not pass the proxy, and scans its one row.
func (d *stack) query(statement string, into any, arguments ...any) {
	d.t.Helper()
	connection := d.admin()
	defer func() { _ = connection.Close(context.WithoutCancel(d.t.Context())) }()
	if err := connection.QueryRow(d.t.Context(), statement, arguments...).Scan(into); err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
}

func (d *stack) execute(statement string) {
	d.t.Helper()
	connection := d.admin()
	defer func() { _ = connection.Close(context.WithoutCancel(d.t.Context())) }()
	if _, err := connection.Exec(d.t.Context(), statement); err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
}

func (d *stack) admin() *pgx.Conn {
	d.t.Helper()
	connection, err := pgx.Connect(d.t.Context(), d.server.URL())
	if err != nil {
		d.t.Fatal(err)
	}
	return connection
}

// alterRole changes the role of the functions, for sessions that start afterwards.
func (d *stack) alterRole(change string) {
	d.t.Helper()
	d.execute("alter role " + pgx.Identifier{d.Role()}.Sanitize() + " " + change)
}

// ours are all sessions of the functions, or those of one function.
const ours = `from pg_stat_activity where application_name ~ '^fanmail-(prepare|plan|send|finish|control)$'`

// sessions are the process ids of the server for the functions.
func (d *stack) sessions() (pids []int32) {
	d.t.Helper()
	d.query("select coalesce(array_agg(pid order by pid), '{}') "+ours, &pids)
	return pids
}

// started is how many environments of a function were ever started.
func (d *stack) started(function string) int {
	return d.Lambda().Stats()["fanmail-local-"+function].Started
}

// status asks the control function for a campaign; that there is none is a good answer, too: it comes from the ledger.
func (d *stack) status(ctx context.Context) error {
	var r workflow.Report
	err := d.invoke(ctx, "control", workflow.ControlInput{Action: workflow.ActionStatus, Campaign: "spring"}, &r)
	var failed *functionError
	if errors.As(err, &failed) && failed.ErrorType == "CampaignUnknown" {
		return nil
	}
	return err
}

// functionError is the error of a function.
type functionError struct {
	ErrorType, ErrorMessage string
}

func (e *functionError) Error() string { return e.ErrorType + ": " + e.ErrorMessage }

// invoke calls a function directly. What the function answers as its error is a *functionError.
func (d *stack) invoke(ctx context.Context, function string, in, out any) error {
	payload, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := d.functions.Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("fanmail-local-" + function), Payload: payload})
	if err != nil {
		return err
	}
	if answer.FunctionError != nil {
		failed := new(functionError)
		return errors.Join(json.Unmarshal(answer.Payload, failed), fmt.Errorf("%s: %w", function, failed))
	}
	return json.Unmarshal(answer.Payload, out)
}

// upload puts a campaign of n recipients, called spring, where a user does.
func (d *stack) upload(n int) {
	d.t.Helper()
	var rows strings.Builder
	rows.WriteString("email,name\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&rows, "recipient-%05d@example.com,Recipient %d\n", i, i)
	}
	for name, content := range map[string]string{
		"campaign.yaml":  "from: Shop <shop@example.com>\nsubject: Hello {{.name}}\ntext: mail.txt\n",
		"mail.txt":       "Dear {{.name}}, this is for {{.email}}.\n",
		"recipients.csv": rows.String(),
	} {
		_, err := d.objects.PutObject(d.t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(d.Bucket()), Key: aws.String("campaigns/spring/" + name), Body: strings.NewReader(content),
		})
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// start starts an execution of the campaign and returns its ARN.
func (d *stack) start() string {
	d.t.Helper()
	out, err := d.executions.StartExecution(d.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: aws.String(d.StateMachineARN()), Input: aws.String(`{"campaign":"spring"}`),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return *out.ExecutionArn
}

// succeed waits for the end of an execution, and returns its report.
func (d *stack) succeed(execution string) (r workflow.Report) {
	d.t.Helper()
	var out *sfn.DescribeExecutionOutput
	d.await("the end of "+execution, func() bool {
		var err error
		if out, err = d.executions.DescribeExecution(d.t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution}); err != nil {
			d.t.Fatal(err)
		}
		return out.Status != types.ExecutionStatusRunning
	})
	if out.Status != types.ExecutionStatusSucceeded {
		d.t.Fatalf("the execution is %s: %s: %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.Output)), &r); err != nil {
		d.t.Fatal(err)
	}
	return r
}

// audit checks that each of the n recipients has exactly one message, and that the ledger knows it.
func (d *stack) audit(n int) {
	d.t.Helper()
	var lines bytes.Buffer
	if err := d.SES().Mailbox(&lines); err != nil {
		d.t.Fatal(err)
	}
	messages := map[string]int{}
	for decoder := json.NewDecoder(&lines); ; {
		var entry ses.Entry
		if err := decoder.Decode(&entry); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			d.t.Fatal(err)
		}
		if messages[entry.To[0]]++; messages[entry.To[0]] > 1 {
			d.t.Errorf("%s was mailed %d times", entry.To[0], messages[entry.To[0]])
		}
	}
	var sent int
	d.query("select count(*) from fanmail.recipient where state = 'sent'", &sent)
	if len(messages) != n || sent != n {
		d.t.Errorf("%d were mailed, the ledger says %d, want %d", len(messages), sent, n)
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
