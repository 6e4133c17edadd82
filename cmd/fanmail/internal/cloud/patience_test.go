package cloud

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
)

// impatient is a Cloud that gives a silent connection up at once.
func impatient(t *testing.T, answer http.HandlerFunc) *Cloud {
	t.Helper()
	normal := answerWithin
	answerWithin = 50 * time.Millisecond
	t.Cleanup(func() { answerWithin = normal })
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	isolate(t)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	env := map[string]string{"FANMAIL_BUCKET": "bucket", "FANMAIL_CONTROL_FUNCTION": "control"}
	c, err := Open(t.Context(), deployments.Choice{}, func(name string) string { return env[name] }, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAConnectionThatHangsIsGivenUp(t *testing.T) {
	over := make(chan struct{})
	c := impatient(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasPrefix(r.URL.Path, "/bucket/reports/") { // it begins, and breaks off
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("half"))
			w.(http.Flusher).Flush()
		}
		<-over
	})
	defer close(over)
	_, stack := c.Stack(t.Context())
	_, status := c.Status(t.Context(), "spring-sale")
	for what, err := range map[string]error{
		"the stack": stack, "the status": status,
		"an upload":   c.Upload(t.Context(), "campaigns/x/mail.html", strings.NewReader("x")),
		"a download":  c.Download(t.Context(), "reports/x", io.Discard),
		"an existing": func() error { _, err := c.Exists(t.Context(), "campaigns/x/mail.html"); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), ": no answer from AWS_ENDPOINT_URL=http://127.0.0.1:") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestASlowUploadIsNotGivenUp(t *testing.T) {
	c := impatient(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	slow := io.MultiReader(strings.NewReader("email\n"), waiting(4*answerWithin), strings.NewReader("a@example.com\n"))
	if err := c.Upload(t.Context(), "campaigns/x/recipients.csv", slow); err != nil {
		t.Error(err)
	}
}

// waiting is a reader that has nothing, and takes its time to say so.
type waiting time.Duration

func (w waiting) Read([]byte) (int, error) {
	time.Sleep(time.Duration(w))
	return 0, io.EOF
}

func TestTheCLIWaitsLongerThanTheFunctionControlMayTake(t *testing.T) {
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		if f.Key == "control" && f.Timeout >= answerWithin {
			t.Errorf("it waits %v for a function of %v", answerWithin, f.Timeout)
		}
	}
}
