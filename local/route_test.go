package local

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestEveryRequestGoesToItsService(t *testing.T) {
	named := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) })
	}
	handler := route(services{stepFunctions: named("stepfunctions"), ses: named("ses"), lambda: named("lambda"), sqs: named("sqs"), s3: named("s3"), stack: named("stack"), scheduler: named("scheduler"), clock: named("clock"), faults: named("faults")})
	for _, test := range []struct{ method, path, target, want string }{
		{"POST", "/", "AWSStepFunctions.StartExecution", "stepfunctions"},
		{"POST", "/v2/email/outbound-emails", "", "ses"},
		{"GET", "/v2/email/account", "", "ses"},
		{"GET", "/_mailbox", "", "ses"},
		{"GET", "/_mailbox.jsonl", "", "ses"},
		{"GET", "/_mailbox/0100-1", "", "ses"},
		{"POST", "/_ses/settings", "", "ses"},
		{"POST", "/2015-03-31/functions/fanmail-local-send/invocations", "", "lambda"},
		{"GET", "/2016-08-19/account-settings/", "", "lambda"},
		{"GET", "/2019-09-30/functions/fanmail-local-send/concurrency", "", "lambda"},
		{"POST", "/", "AmazonSQS.ReceiveMessage", "sqs"},
		{"POST", "/", "", "stack"},
		{"POST", "/_ses/events", "", "ses"},
		{"GET", "/schedules", "", "scheduler"},
		{"POST", "/schedules/spring-sale", "", "scheduler"},
		{"POST", "/_clock", "", "clock"},
		{"GET", "/_faults", "", "faults"},
		{"GET", "/", "", "s3"},
		{"PUT", "/fanmail-local/campaigns/v2/email/x", "", "s3"},
		{"GET", "/fanmail-local?list-type=2", "", "s3"},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.target != "" {
			r.Header.Set("X-Amz-Target", test.target)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Body.String() != test.want {
			t.Errorf("%s %s %s: %s", test.method, test.path, test.target, w.Body)
		}
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Amz-Target", "AmazonSNS.Publish")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("an unknown service: %d %s", w.Code, w.Body)
	}
}
