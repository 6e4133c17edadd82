package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local/lambda"
	"fanmail/local/ses"
)

// world is a Lambda with senders and others, all busy, whose dead are noted.
type world struct {
	mu           sync.Mutex
	environments []lambda.Environment
	log          []string
}

func newWorld(senders int) *world {
	w := &world{environments: []lambda.Environment{{Function: "plan", AccessKey: "PLAN", Busy: true}, {Function: "send", AccessKey: "IDLE"}}}
	for i := range senders {
		w.environments = append(w.environments, lambda.Environment{Function: "send", AccessKey: fmt.Sprintf("S%d", i), Busy: true})
	}
	return w
}

func (w *world) Environments() []lambda.Environment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.environments)
}

func (w *world) do(what, key string, ends bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.environments, func(e lambda.Environment) bool { return e.AccessKey == key })
	if i < 0 {
		return false
	}
	w.log = append(w.log, what+" "+key)
	if ends {
		w.environments = slices.Delete(w.environments, i, i+1)
	}
	return true
}

func (w *world) Kill(key string) bool    { return w.do("kill", key, true) }
func (w *world) TimeOut(key string) bool { return w.do("time out", key, true) }
func (w *world) Pause(key string) bool   { return w.do("pause", key, false) }

func (w *world) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.log, ", ")
}

var errAway = errors.New("no database here")

func serviceOf(t *testing.T, w *world, settings Settings) *Service {
	t.Helper()
	s := New(Config{Lambda: w, Sender: "send", SenderSession: "fanmail-send", Role: "fanmail", Connect: func(context.Context) (*pgx.Conn, error) { return nil, errAway }})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Set(settings); err != nil {
		t.Fatal(err)
	}
	return s
}

func request(caller string, seq int, claim string) *ses.Request {
	r := &ses.Request{Caller: caller, Destination: ses.Destination{ToAddresses: []string{fmt.Sprintf("r%d@example.org", seq)}}}
	r.EmailTags = []ses.Tag{{Name: tagCampaign, Value: "c"}, {Name: tagClaim, Value: claim}}
	if seq > 0 {
		r.EmailTags = append(r.EmailTags, ses.Tag{Name: tagSeq, Value: fmt.Sprint(seq)})
	}
	return r
}

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen: %s", what)
		}
	}
}

func TestRandomSendersDieAndNobodyElse(t *testing.T) {
	w := newWorld(5)
	s := serviceOf(t, w, Settings{Send: Send{KillEveryMilliseconds: 10}})
	eventually(t, "all senders that work are killed", func() bool { return s.Counts().Kills == 5 })
	if len(w.Environments()) != 2 {
		t.Errorf("left: %+v", w.Environments())
	}
	w = newWorld(3)
	s = serviceOf(t, w, Settings{Send: Send{TimeOutEveryMilliseconds: 10}})
	eventually(t, "all senders that work are timed out", func() bool { return s.Counts().TimeOuts == 3 })
	if story := w.story(); strings.Contains(story, "kill") || strings.Contains(story, "PLAN") || strings.Contains(story, "IDLE") {
		t.Error(story)
	}
}

func TestNothingHappensAfterClose(t *testing.T) {
	w := newWorld(2)
	s := serviceOf(t, w, Settings{Send: Send{KillEveryMilliseconds: 10}, Database: Database{TerminateEveryMilliseconds: 10}, SES: SES{Drop: 1}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := w.story()
	if err := s.Set(Settings{Send: Send{KillEveryMilliseconds: 10}}); err != nil || s.Settings() != (Settings{}) {
		t.Errorf("%+v %v", s.Settings(), err)
	}
	if f := s.SES(request("S0", 1, "c1")); f.Drop {
		t.Error("a fault after Close")
	}
	if after := w.story(); after != before {
		t.Errorf("before %q, after %q", before, after)
	}
}

func TestTheHandlerShowsAndReplacesTheFaults(t *testing.T) {
	s := serviceOf(t, newWorld(0), Settings{})
	call := func(method, body string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, "/_faults", strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	if status, body := call("POST", `{"seed":3,"ses":{"throttle":1}}`); status != 200 || !strings.Contains(body, `"throttle":1,`) {
		t.Error(status, body)
	}
	s.SES(request("S0", 1, "c1"))
	if status, body := call("POST", `{"ses":{"throttle":2,"drop":3}}`); status != 400 || !strings.Contains(body, `ses.drop is 3: a share is 0 to 1\nthe faults: ses.throttle is 2`) {
		t.Error(status, body)
	}
	if status, body := call("GET", ""); status != 200 || !strings.Contains(body, `"seed":3`) || !strings.Contains(body, `"throttles":1,`) {
		t.Error(status, body)
	}
	if status, body := call("POST", `{}`); status != 200 || !strings.Contains(body, `"throttle":0,`) || !strings.Contains(body, `"throttles":1,`) {
		t.Error(status, body)
	}
	if status, _ := call("PUT", `{}`); status != 405 {
		t.Error(status)
	}
}
