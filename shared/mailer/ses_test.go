package mailer

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/uuid"

	"fanmail/local/ses"
	"fanmail/shared/campaign"
	"fanmail/shared/cloud"
	"fanmail/shared/template"
)

// newMailer returns a Mailer whose real SES client calls the endpoint.
func newMailer(t *testing.T, endpoint string) *Mailer {
	t.Helper()
	return newMailerOf(t, sender(endpoint, 15*time.Second))
}

// newMailerOf returns a Mailer that calls client.
func newMailerOf(t *testing.T, client SES) *Mailer {
	t.Helper()
	content := &campaign.Content{
		Campaign: campaign.Campaign{Name: "spring-sale", From: "shop@example.com", Tags: map[string]string{"season": "spring"}},
		Sources:  template.Sources{Subject: "Hello {{.name}}", Text: "Hello {{.name}}", TextName: "mail.txt"},
	}
	templates, problems := content.Compile([]string{"email", "name"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return New(client, content, templates, "")
}

// sender is the client of production at an endpoint.
func sender(endpoint string, timeout time.Duration) cloud.SendEmail {
	config := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""), BaseEndpoint: &endpoint}
	return cloud.Sender(config, Parallel, timeout)
}

// sendOne mails one recipient and returns the outcome.
func sendOne(t *testing.T, m *Mailer) Outcome {
	t.Helper()
	return sendTo(t, m, "a@example.com")
}

func sendTo(t *testing.T, m *Mailer, address string) Outcome {
	t.Helper()
	outcomes := m.Send(context.Background(), Chunk{
		Claim: uuid.New(), Start: time.Now(), LastStart: time.Now().Add(time.Minute),
		Recipients: []Recipient{{Seq: 1, Address: address, Fields: map[string]string{"email": address, "name": "Ann"}}},
	})
	return outcomes[0]
}

// answer is a SES that gives one and the same answer.
func answer(status int, errorType, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if errorType != "" {
			w.Header().Set("X-Amzn-ErrorType", errorType)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"message": %q}`, message)
	}
}

// account is a local SES that counts the requests that come in.
type account struct {
	*ses.Service
	url   string
	calls atomic.Int64
}

func startSES(t *testing.T, config ses.Config) *account {
	t.Helper()
	config.Directory = t.TempDir()
	service, err := ses.New(config)
	if err != nil {
		t.Fatal(err)
	}
	a := &account{Service: service}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.calls.Add(1)
		service.ServeHTTP(w, r)
	}))
	a.url = server.URL
	t.Cleanup(func() {
		if err := service.Close(); err != nil { // ends the calls that it lets wait
			t.Error(err)
		}
		server.Close()
	})
	return a
}

// agrees holds an outcome against what the local SES has in its mailbox.
func agrees(t *testing.T, outcome Outcome, accepted int64) {
	t.Helper()
	switch {
	case outcome.Kind == Unknown:
	case outcome.Kind == Accepted && accepted != 1, outcome.Kind != Accepted && accepted != 0:
		t.Errorf("outcome %+v, and SES has accepted %d messages", outcome, accepted)
	}
}
