package mailer

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/uuid"

	"fanmail/shared/campaign"
	"fanmail/shared/cloud"
	"fanmail/shared/template"
)

// newMailer returns a Mailer whose real SES client calls the endpoint.
func newMailer(t *testing.T, endpoint string) *Mailer {
	t.Helper()
	content := &campaign.Content{
		Campaign: campaign.Campaign{Name: "spring-sale", From: "shop@example.com", Tags: map[string]string{"season": "spring"}},
		Sources:  template.Sources{Subject: "Hello {{.name}}", Text: "Hello {{.name}}", TextName: "mail.txt"},
	}
	templates, problems := content.Compile([]string{"email", "name"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	config := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""), BaseEndpoint: &endpoint}
	return New(cloud.Sender(config, Parallel), content, templates)
}

// sendOne mails one recipient and returns the outcome.
func sendOne(t *testing.T, m *Mailer) Outcome {
	t.Helper()
	outcomes := m.Send(context.Background(), Chunk{
		Claim: uuid.New(), Start: time.Now(), LastStart: time.Now().Add(time.Minute),
		Recipients: []Recipient{{Seq: 1, Address: "a@example.com", Fields: map[string]string{"email": "a@example.com", "name": "Ann"}}},
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

func hijack(f func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		f(conn)
		_ = conn.Close()
	}
}

func TestEveryAnswerOfSESHasOneMeaning(t *testing.T) {
	for _, test := range []struct {
		name      string
		ses       http.HandlerFunc
		want      Kind
		throttled bool
	}{
		{"accepted", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"MessageId": "m1"}`) }, Accepted, false},
		{"accepted without an id", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{}`) }, Unknown, false},
		{"accepted, answer malformed", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"MessageId": `) }, Unknown, false},
		{"rate exceeded", answer(429, "TooManyRequestsException", "Maximum sending rate exceeded."), NotAccepted, true},
		{"daily quota exceeded", answer(429, "TooManyRequestsException", "Daily message quota exceeded."), QuotaReached, false},
		{"limit exceeded, rate", answer(400, "LimitExceededException", "Maximum sending rate exceeded."), NotAccepted, true},
		{"limit exceeded, quota", answer(400, "LimitExceededException", "Daily message quota exceeded."), QuotaReached, false},
		{"429 without a name", answer(429, "", "slow down"), NotAccepted, true},
		{"message rejected", answer(400, "MessageRejected", "Email content is not permitted."), Refused, false},
		{"identity not verified", answer(400, "MessageRejected", "Email address is not verified. The following identities failed the check in region US-EAST-1: shop@example.com"), Stop, false},
		{"bad request", answer(400, "BadRequestException", "Missing final '@domain'"), Refused, false},
		{"sending paused", answer(400, "SendingPausedException", "Sending is paused"), Stop, false},
		{"account suspended", answer(400, "AccountSuspendedException", "Account suspended"), Stop, false},
		{"mail-from not verified", answer(400, "MailFromDomainNotVerifiedException", "MAIL FROM not verified"), Stop, false},
		{"configuration set missing", answer(404, "NotFoundException", "Configuration set <x> does not exist."), Stop, false},
		{"conflict", answer(500, "ConcurrentModificationException", "try again"), NotAccepted, false},
		{"no permission", answer(403, "AccessDeniedException", "not authorized to perform ses:SendEmail"), Stop, false},
		{"bad signature", answer(403, "InvalidSignatureException", "signature"), Stop, false},
		{"unknown client error", answer(400, "ValidationException", "what?"), Refused, false},
		{"client error of something in between", answer(400, "", ""), Unknown, false},
		{"internal error", answer(500, "InternalServiceErrorException", "oops"), Unknown, false},
		{"503", answer(503, "", "unavailable"), Unknown, false},
		{"reset after the request", hijack(func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }), Unknown, false},
		{"closed after the request", hijack(func(net.Conn) {}), Unknown, false},
		{"half an answer", hijack(func(c net.Conn) { _, _ = fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"Mess") }), Unknown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { calls.Add(1); test.ses(w, r) }))
			defer server.Close()
			got := sendOne(t, newMailer(t, server.URL))
			if got.Kind != test.want || got.Throttled != test.throttled {
				t.Errorf("outcome %+v, want %s, throttled %v", got, test.want, test.throttled)
			}
			if got.Kind != Accepted && got.Reason == "" {
				t.Error("the outcome has no reason")
			}
			if calls.Load() != 1 {
				t.Errorf("SES was called %d times, want once", calls.Load())
			}
		})
	}
}

func TestARefusedConnectionIsNotAccepted(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	_ = listener.Close()
	if got := sendOne(t, newMailer(t, endpoint)); got.Kind != NotAccepted {
		t.Errorf("outcome %+v, want not accepted", got)
	}
}

func TestAnIdleConnectionThatTheServerClosedIsReplacedOrProvesThatNothingWasSent(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = fmt.Fprint(w, `{"MessageId": "m1"}`)
	}))
	defer server.Close()
	m := newMailer(t, server.URL)
	sendOne(t, m)
	server.CloseClientConnections()
	got := sendOne(t, m)
	if accepted := got.Kind == Accepted; accepted != (calls.Load() == 2) && got.Kind != Unknown {
		t.Errorf("outcome %+v after %d calls", got, calls.Load())
	}
}
