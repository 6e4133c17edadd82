package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/jackc/pgx/v5"

	"fanmail/local/faults"
	"fanmail/local/postgres/postgrestest"
	"fanmail/local/ses"
)

// mail invokes the function send on a batch, which mails one recipient.
func mail(t *testing.T, r *Runtime) *awslambda.InvokeOutput {
	t.Helper()
	out, err := awslambda.NewFromConfig(ClientConfig(r.Endpoint())).Invoke(t.Context(), &awslambda.InvokeInput{
		FunctionName: aws.String(functionName + senderKey), Payload: []byte(`{"batch":{"number":1}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestEventsGoFromSESThroughTheQueueToTheirFunction(t *testing.T) {
	r := start(t, Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t)})
	if out := mail(t, r); out.FunctionError != nil {
		t.Fatalf("%s", out.Payload)
	}
	objects := awss3.NewFromConfig(ClientConfig(r.Endpoint()))
	var listed *awss3.ListObjectsV2Output
	await(t, func() bool {
		var err error
		listed, err = objects.ListObjectsV2(t.Context(), &awss3.ListObjectsV2Input{Bucket: aws.String(BucketName), Prefix: aws.String("events/")})
		if err != nil {
			t.Fatal(err)
		}
		return len(listed.Contents) == 2
	})
	types := ""
	for _, object := range listed.Contents {
		out, err := objects.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(BucketName), Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		var event struct {
			EventType string `json:"eventType"`
			Mail      struct{ Destination []string }
		}
		if err := json.NewDecoder(out.Body).Decode(&event); err != nil || len(event.Mail.Destination) != 1 || event.Mail.Destination[0] != "r1@example.org" {
			t.Errorf("%+v %v", event, err)
		}
		types += event.EventType
	}
	if types != "SendDelivery" && types != "DeliverySend" {
		t.Errorf("the events %s", types)
	}
	await(t, func() bool {
		counts, err := r.SQS().Counts("EventsQueue")
		if err != nil {
			t.Fatal(err)
		}
		return counts.Visible+counts.InFlight+counts.Delayed == 0
	})
}

func TestTheClockMovesTheLedgerAndSESAndOutlivesTheRuntime(t *testing.T) {
	o := Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t), Directory: filepath.Join(t.TempDir(), "runtime"), Max24HourSend: 1}
	ahead := func() time.Duration {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), o.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var seconds float64
		if err := conn.QueryRow(t.Context(), "select extract(epoch from fanmail.clock() - clock_timestamp())::float8").Scan(&seconds); err != nil {
			t.Fatal(err)
		}
		return time.Duration(seconds * float64(time.Second)).Round(time.Hour)
	}
	r := start(t, o)
	if out := mail(t, r); out.FunctionError != nil || ahead() != 0 {
		t.Fatalf("%s; the ledger's clock is %s ahead", out.Payload, ahead())
	}
	if out := mail(t, r); out.FunctionError == nil {
		t.Fatal("the second message of the day is accepted")
	}
	if status, body := post(t, r.Endpoint()+"/_clock", `{"advance":"25h"}`); status != 200 || !strings.Contains(body, `"offset":"25h0m0s"`) {
		t.Fatal(status, body)
	}
	if got := ahead(); got != 25*time.Hour {
		t.Errorf("the ledger's clock is %s ahead", got)
	}
	if out := mail(t, r); out.FunctionError != nil {
		t.Errorf("the quota did not renew: %s", out.Payload)
	}
	if err := r.Advance(t.Context(), -time.Hour); err == nil || ahead() != 25*time.Hour {
		t.Errorf("it went back: %v", err)
	}
	var mailbox bytes.Buffer
	if err := r.SES().Mailbox(&mailbox); err != nil {
		t.Fatal(err)
	}
	var first, second ses.Entry
	decoder := json.NewDecoder(&mailbox)
	if err := errors.Join(decoder.Decode(&first), decoder.Decode(&second)); err != nil || second.Time.Sub(first.Time) < 25*time.Hour {
		t.Errorf("%s and %s: %v", first.Time, second.Time, err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := ahead(); got != 0 {
		t.Errorf("a database that is not ours is left %s ahead", got)
	}

	r = start(t, o)
	if got, now := ahead(), time.Until(r.Now()).Round(time.Hour); got != 25*time.Hour || now != 25*time.Hour {
		t.Errorf("after a restart the ledger is %s ahead, and the runtime %s", got, now)
	}
	if out := mail(t, r); out.FunctionError == nil {
		t.Error("the quota is forgotten")
	}
}

func TestFaultsHoldFromTheStartUntilTheyAreReplaced(t *testing.T) {
	r := start(t, Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t), Faults: faults.Settings{SES: faults.SES{Throttle: 1}}})
	send := func() error {
		text := &sestypes.Content{Data: aws.String("Hello")}
		_, err := sesv2.NewFromConfig(ClientConfig(r.Endpoint())).SendEmail(t.Context(), &sesv2.SendEmailInput{
			FromEmailAddress: aws.String("shop@example.com"), Destination: &sestypes.Destination{ToAddresses: []string{"a@example.org"}},
			Content: &sestypes.EmailContent{Simple: &sestypes.Message{Subject: text, Body: &sestypes.Body{Text: text}}},
		})
		return err
	}
	if err := send(); err == nil || !strings.Contains(err.Error(), "TooManyRequestsException") {
		t.Errorf("not throttled: %v", err)
	}
	if status, body := post(t, r.Endpoint()+"/_faults", `{}`); status != 200 || !strings.Contains(body, `"throttles":1`) {
		t.Error(status, body)
	}
	if err := send(); err != nil {
		t.Error(err)
	}
	if err := r.SetFaults(faults.Settings{SES: faults.SES{Drop: 1}}); err != nil || send() == nil || r.FaultCounts().Drops != 1 || r.Faults().SES.Drop != 1 {
		t.Errorf("%v %+v", err, r.FaultCounts())
	}
	if err := r.SetFaults(faults.Settings{SES: faults.SES{Drop: 7}}); err == nil {
		t.Error("a share of 7 is accepted")
	}
	if _, err := Start(t.Context(), Options{LambdaBinaries: binaries(t), Faults: faults.Settings{SES: faults.SES{Drop: 7}}}); err == nil || !strings.Contains(err.Error(), "ses.drop is 7") {
		t.Errorf("a share of 7 is accepted: %v", err)
	}
}

func TestADirectoryIsForOneRuntimeAtATime(t *testing.T) {
	o := Options{LambdaBinaries: binaries(t), DatabaseURL: postgrestest.New(t), Directory: t.TempDir()}
	first := start(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if second, err := Start(ctx, o); err == nil || !strings.Contains(err.Error(), "another local runtime uses the directory "+o.Directory) {
		if err == nil {
			second.Close()
		}
		t.Errorf("got %v", err)
	}
	role := first.Role()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if second := start(t, o); second.Role() != role {
		t.Errorf("the role was %s, and is %s", role, second.Role())
	}
}
