package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	lambdaruntime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

// TestMain makes this test binary the functions of the deployment, too: a copy that finds itself in an execution
// environment handles invocations.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambdaruntime.Start(handle)
		return
	}
	if options := os.Getenv(runtimeVariable); options != "" {
		os.Exit(runRuntime(options))
	}
	os.Exit(m.Run())
}

// handle plays the part of each function just enough to send a campaign of two batches in one wave.
func handle(ctx context.Context, payload json.RawMessage) (any, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	objects := awss3.NewFromConfig(c)
	bucket := aws.String(os.Getenv("FANMAIL_BUCKET"))
	switch key := strings.TrimPrefix(os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), functionName); key {
	case "migrate":
		if _, err := os.Stat(filepath.Join(filepath.Dir(os.Args[0]), "fail")); err == nil {
			return nil, &workflow.DatabaseFailed{Message: "the password is wrong"}
		}
		conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_ADMIN_URL"))
		if err != nil {
			return nil, err
		}
		if os.Getenv("FANMAIL_CONNECTION_LIMIT") == "" {
			return nil, errors.New("no connection limit")
		}
		_, err = conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS fanmail; DO $$ BEGIN IF to_regprocedure('fanmail.clock()') IS NULL THEN
			CREATE FUNCTION fanmail.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'select clock_timestamp()'; END IF; END $$`)
		return map[string]any{}, errors.Join(err, conn.Close(ctx))
	case "prepare":
		var in workflow.PrepareInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		input, _ := in.Input.(map[string]any)
		return workflow.PrepareOutput{Campaign: fmt.Sprint(input["campaign"]), Execution: in.Execution}, nil
	case "plan":
		manifest := workflow.Object{Bucket: *bucket, Key: "work/manifest.jsonl"}
		out := workflow.PlanOutput{Next: workflow.NextSend, Wave: 1, Manifest: manifest, Results: workflow.Object{Bucket: *bucket, Key: "work/results/"}, MaxConcurrency: 2, Until: time.Now().Add(time.Minute).UTC()}
		_, err := objects.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: bucket, Key: aws.String(manifest.Key)})
		if notFound := (*types.NotFound)(nil); errors.As(err, &notFound) {
			_, err = objects.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: aws.String(manifest.Key), Body: strings.NewReader(`{"number":1}` + "\n" + `{"number":2}` + "\n")})
			return out, err
		}
		out.Next, out.Reason = workflow.NextFinish, "sent with "+os.Getenv("FANMAIL_SENDERS")
		return out, err
	case "send":
		var in workflow.SendInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		text := &sestypes.Content{Data: aws.String("Hello"), Charset: aws.String("UTF-8")}
		_, err := sesv2.NewFromConfig(c).SendEmail(ctx, &sesv2.SendEmailInput{
			FromEmailAddress: aws.String("shop@example.com"),
			Destination:      &sestypes.Destination{ToAddresses: []string{fmt.Sprintf("r%d@example.org", in.Batch.Number)}},
			Content:          &sestypes.EmailContent{Simple: &sestypes.Message{Subject: text, Body: &sestypes.Body{Text: text}}},

			ConfigurationSetName: aws.String(os.Getenv("FANMAIL_CONFIGURATION_SET")),
		})
		return workflow.SendOutput{Sent: 1}, err
	case "events":
		// Each message becomes an object, so that the test sees what arrived.
		var in lambdaevents.SQSEvent
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		for _, record := range in.Records {
			key := "events/" + record.MessageId + "/" + record.Attributes["ApproximateReceiveCount"]
			if _, err := objects.PutObject(ctx, &awss3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(record.Body)}); err != nil {
				return nil, err
			}
		}
		return lambdaevents.SQSEventResponse{}, nil
	case "finish":
		var in workflow.FinishInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, err
		}
		return workflow.Report{State: "finished", Reason: in.Reason}, nil
	default:
		return map[string]string{"function": key, "databaseURL": os.Getenv("DATABASE_URL"), "adminURL": os.Getenv("DATABASE_ADMIN_URL")}, nil
	}
}

// binaries is a directory with this test binary under the name of every function.
func binaries(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	for _, f := range functions {
		folder := filepath.Join(directory, f.Key)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(self, filepath.Join(folder, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func start(t *testing.T, o Options) *Runtime {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestACampaignGoesThroughAllServices(t *testing.T) {
	url := postgrestest.New(t)
	r := start(t, Options{LambdaBinaries: binaries(t), DatabaseURL: url, Senders: 4})
	for _, v := range r.Environment() {
		t.Setenv(v.Name, v.Value)
	}
	ctx := t.Context()
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		t.Fatal(err)
	}
	client := sfn.NewFromConfig(c)
	started, err := client.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(os.Getenv("FANMAIL_STATE_MACHINE_ARN")), Input: aws.String(`{"campaign":"spring-sale"}`)})
	if err != nil {
		t.Fatal(err)
	}
	var execution *sfn.DescribeExecutionOutput
	await(t, func() bool {
		execution, err = client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			t.Fatal(err)
		}
		return execution.Status != sfntypes.ExecutionStatusRunning
	})
	if execution.Status != sfntypes.ExecutionStatusSucceeded || !strings.Contains(aws.ToString(execution.Output), "sent with 4") {
		t.Fatalf("%s: %s %s %s", execution.Status, aws.ToString(execution.Output), aws.ToString(execution.Error), aws.ToString(execution.Cause))
	}
	var mailbox bytes.Buffer
	if err := r.SES().Mailbox(&mailbox); err != nil || strings.Count(mailbox.String(), "\n") != 2 || !strings.Contains(mailbox.String(), "r2@example.org") {
		t.Errorf("mailbox: %s %v", mailbox.String(), err)
	}
	listed, err := awss3.NewFromConfig(c).ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: aws.String(r.Bucket()), Prefix: aws.String("work/results/")})
	if err != nil || len(listed.Contents) == 0 {
		t.Errorf("the Map wrote no results: %v", err)
	}
	control, err := awslambda.NewFromConfig(c).Invoke(ctx, &awslambda.InvokeInput{FunctionName: aws.String(os.Getenv("FANMAIL_CONTROL_FUNCTION")), Payload: []byte("{}")})
	if err != nil || !strings.Contains(string(control.Payload), `"control"`) || !strings.Contains(string(control.Payload), "//"+r.Role()+":") || !strings.Contains(string(control.Payload), `"adminURL":""`) {
		t.Errorf("control: %+v %v", control, err)
	}
	if got, sum := r.ConnectionBound(), 0; got <= 4 || r.Connections().Peak() < sum {
		t.Errorf("bound is %d", got)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	r := start(t, Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t)})
	directory := r.Directory()
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(directory); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary directory is still there: %v", err)
	}
	if _, err := http.Get(r.Endpoint()); err == nil {
		t.Error("the endpoint still answers")
	}
}

func TestADirectoryOutlivesTheRuntime(t *testing.T) {
	o := Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t), Directory: filepath.Join(t.TempDir(), "runtime")}
	first := start(t, o)
	request, err := http.NewRequest("PUT", first.Endpoint()+"/"+BucketName+"/a", strings.NewReader("kept"))
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, o)
	response, err := http.Get(second.Endpoint() + "/" + BucketName + "/a")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "kept" {
		t.Errorf("got %q %v", body, err)
	}
}

func TestAStartThatFailsSaysWhyAndCleansUp(t *testing.T) {
	// The shared server, should it be started here, must not live in this test's directory.
	good, url := binaries(t), postgrestest.New(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	failing := binaries(t)
	if err := os.WriteFile(filepath.Join(failing, "migrate", "fail"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	taken := start(t, Options{LambdaBinaries: good, DatabaseURL: url, Directory: t.TempDir()})
	for _, test := range []struct {
		name    string
		options Options
		want    string
	}{
		{"migrate fails", Options{LambdaBinaries: failing, DatabaseURL: url}, "migrate could not bring the ledger's tables up to date: the password is wrong"},
		{"no binaries", Options{LambdaBinaries: t.TempDir(), DatabaseURL: url}, "no binary of the function send"},
		{"port taken", Options{LambdaBinaries: good, DatabaseURL: url, Address: strings.TrimPrefix(taken.Endpoint(), "http://")}, "listening on"},
		{"no database", Options{LambdaBinaries: good, DatabaseURL: "postgres://x@127.0.0.1:1/x"}, "connecting to PostgreSQL"},
		{"negative senders", Options{LambdaBinaries: good, DatabaseURL: url, Senders: -1}, "-1 senders"},
		{"bad rate", Options{LambdaBinaries: good, DatabaseURL: url, MaxSendRate: -1}, "maxSendRate"},
	} {
		r, err := Start(t.Context(), test.options)
		if err == nil || r != nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "starting the local runtime: ") {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
		if err == nil {
			r.Close()
		}
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "fanmail-local-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
