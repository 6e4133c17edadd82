package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		child(file)
		return
	}
	os.Exit(m.Run())
}

// open starts a service on a new file, unless there is one in the configuration, and closes it with the test.
func open(t testing.TB, config Config) *Service {
	t.Helper()
	if config.File == "" {
		config.File = filepath.Join(t.TempDir(), "sqs.db")
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// two are a queue, jobs, with a dead-letter queue, dead.
func two(visibility time.Duration, most int) []Queue {
	return []Queue{{Name: "jobs", VisibilityTimeout: visibility, DeadLetter: "dead", MaxReceiveCount: most}, {Name: "dead"}}
}

// serve starts a server for a service, and makes a client of the real SDK.
func serve(t testing.TB, config Config) (*Service, *sqs.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	config.Endpoint = "http://" + server.Listener.Addr().String()
	s := open(t, config)
	server.Config.Handler = s
	server.Start()
	t.Cleanup(server.Close)
	return s, sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: &config.Endpoint, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func urlOf(s *Service, name string) *string { return aws.String(s.URL(name)) }

func send(t testing.TB, s *Service, queue string, bodies ...string) {
	t.Helper()
	messages := make([]Message, len(bodies))
	for i, body := range bodies {
		messages[i].Body = body
	}
	if err := s.Send(queue, messages...); err != nil {
		t.Fatal(err)
	}
}

func expectCounts(t testing.TB, s *Service, queue string, want Counts) {
	t.Helper()
	if got, err := s.Counts(queue); err != nil || got != want {
		t.Errorf("%s holds %+v, %v; want %+v", queue, got, err, want)
	}
}

// take receives up to limit messages with the queue's visibility timeout.
func take(t testing.TB, s *Service, queue string, limit int) []*message {
	t.Helper()
	q, err := s.queue(queue)
	if err != nil {
		t.Fatal(err)
	}
	var out []*message
	if _, err := s.receive(q, limit, q.VisibilityTimeout, func(m *message) bool { out = append(out, m); return true }); err != nil {
		t.Fatal(err)
	}
	return out
}

func bodies(messages []*message) string {
	var out []string
	for _, m := range messages {
		out = append(out, m.body)
	}
	return strings.Join(out, " ")
}

func receipts(messages []*message) []receipt {
	var out []receipt
	for _, m := range messages {
		out = append(out, m.receipt)
	}
	return out
}

// numbered are n different bodies.
func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("message %d", i)
	}
	return out
}

func TestMessagesComeInTheOrderInWhichTheyBecomeVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: two(30*time.Second, 3)})
		if err := s.Send("jobs", Message{"late", 2 * time.Second}, Message{"soon", time.Second}, Message{"now", 0}, Message{"now too", 0}); err != nil {
			t.Fatal(err)
		}
		expectCounts(t, s, "jobs", Counts{Visible: 2, Delayed: 2})
		if got := bodies(take(t, s, "jobs", 1)); got != "now" {
			t.Errorf("received %q", got)
		}
		time.Sleep(5 * time.Second)
		if got := bodies(take(t, s, "jobs", 10)); got != "now too soon late" {
			t.Errorf("received %q", got)
		}
		expectCounts(t, s, "jobs", Counts{InFlight: 4})
		time.Sleep(25 * time.Second)
		again := take(t, s, "jobs", 10)
		if bodies(again) != "now" || again[0].received != 2 {
			t.Errorf("received again: %q", bodies(again))
		}
		expectCounts(t, s, "jobs", Counts{InFlight: 4})
	})
}

func TestAnOldHandleDeletesNothingThatWasReceivedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: two(time.Second, 9)})
		q := s.queues["jobs"]
		send(t, s, "jobs", "a", "b")
		first := take(t, s, "jobs", 2)
		time.Sleep(time.Second)
		second := take(t, s, "jobs", 1)
		if err := s.delete(q, receipts(first)); err != nil {
			t.Fatal(err)
		}
		expectCounts(t, s, "jobs", Counts{InFlight: 1}) // b was visible, but not received again
		// Twice the same, and once more what is gone.
		if err := s.delete(q, append(receipts(second), append(receipts(second), receipts(first)...)...)); err != nil {
			t.Fatal(err)
		}
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestALongPollWaitsForAMessageAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: two(30*time.Second, 3)})
		in := receiveRequest{queueRequest: queueRequest{s.URL("jobs")}, WaitTimeSeconds: aws.Int(20)}
		poll := func(ctx context.Context) (string, time.Duration) {
			start := time.Now()
			out, err := s.receiveMessage(ctx, in)
			if err != nil {
				t.Error(err)
			}
			return fmt.Sprintf("%+v", out), time.Since(start)
		}
		if got, took := poll(t.Context()); got != "{Messages:[]}" || took != 20*time.Second {
			t.Errorf("with nothing sent: %s after %v", got, took)
		}
		var got string
		var took time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			got, took = poll(t.Context())
		}()
		time.Sleep(3 * time.Second)
		if err := s.Send("jobs", Message{"hello", 4 * time.Second}); err != nil {
			t.Fatal(err)
		}
		<-done
		if !strings.Contains(got, "hello") || took != 7*time.Second {
			t.Errorf("with one sent: %s after %v", got, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, took := poll(ctx); got != "{Messages:[]}" || took != time.Second {
			t.Errorf("with the caller gone: %s after %v", got, took)
		}
	})
}

func TestTheInFlightLimitHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, Config{Queues: two(30*time.Second, 3)})
		s.inFlightLimit = 3
		send(t, s, "jobs", numbered(5)...)
		got := take(t, s, "jobs", 10)
		if len(got) != 3 {
			t.Fatalf("received %d messages", len(got))
		}
		in := receiveRequest{queueRequest: queueRequest{s.URL("jobs")}}
		if _, err := s.receiveMessage(t.Context(), in); err != errOverLimit {
			t.Errorf("a short poll answers %v", err)
		}
		in.WaitTimeSeconds = aws.Int(20)
		done := make(chan any)
		go func() {
			out, err := s.receiveMessage(t.Context(), in)
			done <- fmt.Sprint(out, err)
		}()
		synctest.Wait()
		if err := s.delete(s.queues["jobs"], receipts(got[:1])); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(<-done); !strings.Contains(got, "message 3") {
			t.Errorf("the long poll answers %s", got)
		}
	})
}

func TestADuplicateComesOnceMoreAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := map[string]int{}
		s := open(t, Config{Queues: two(time.Minute, 1), Duplicate: func(id string) bool { asked[id]++; return true }})
		send(t, s, "jobs", "a")
		first := take(t, s, "jobs", 1)
		if err := s.delete(s.queues["jobs"], receipts(first)); err != nil {
			t.Fatal(err)
		}
		second := take(t, s, "jobs", 1)
		if len(second) != 1 || second[0].id != first[0].id || second[0].body != "a" {
			t.Fatalf("after the first delete: %q", bodies(second))
		}
		if err := s.delete(s.queues["jobs"], receipts(first)); err != nil {
			t.Fatal(err)
		}
		expectCounts(t, s, "jobs", Counts{InFlight: 1})
		if err := s.delete(s.queues["jobs"], receipts(second)); err != nil {
			t.Fatal(err)
		}
		expectCounts(t, s, "jobs", Counts{})
		expectCounts(t, s, "dead", Counts{})
		if len(asked) != 1 {
			t.Errorf("asked about %v", slices.Collect(maps.Keys(asked)))
		}
	})
}

func TestAConfigurationIsChecked(t *testing.T) {
	long := strings.Repeat("x", 81)
	tests := map[string]struct {
		queues []Queue
		want   string
	}{
		"FIFO":               {[]Queue{{Name: "a.fifo"}}, `the queue name "a.fifo"`},
		"long name":          {[]Queue{{Name: long}}, "the queue name"},
		"twice":              {[]Queue{{Name: "a"}, {Name: "a"}}, "given twice"},
		"visibility":         {[]Queue{{Name: "a", VisibilityTimeout: 13 * time.Hour}}, "the visibility timeout is 13h0m0s, want up to 12h0m0s"},
		"no dead-letter":     {[]Queue{{Name: "a", DeadLetter: "b", MaxReceiveCount: 1}}, "its dead-letter queue b is not another"},
		"itself":             {[]Queue{{Name: "a", DeadLetter: "a", MaxReceiveCount: 1}}, "its dead-letter queue a is not another"},
		"no receive count":   {[]Queue{{Name: "a", DeadLetter: "b"}, {Name: "b"}}, "the maximum receive count is 0, want 1 to 1000"},
		"useless count":      {[]Queue{{Name: "a", MaxReceiveCount: 3}}, "but no dead-letter queue"},
		"directory not made": {nil, "opening"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "no", "such", "sqs.db")
			if _, err := New(Config{File: file, Queues: test.queues}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no file is no error")
	}
}

func TestSendRefusesAllOrNothing(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 1)})
	for _, bad := range []Message{{}, {Body: "\x00"}, {Body: strings.Repeat("x", maxMessageBytes+1)}, {Body: "a", Delay: maxDelay + 1}, {Body: "a", Delay: -1}} {
		if err := s.Send("jobs", Message{Body: "good"}, bad); err == nil || !strings.Contains(err.Error(), "message 2 of 2 to jobs") {
			t.Errorf("got %v", err)
		}
	}
	if err := s.Send("nowhere", Message{Body: "good"}); err == nil || !strings.Contains(err.Error(), "only dead, jobs") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Counts("nowhere"); err == nil {
		t.Error("counting nowhere is no error")
	}
	expectCounts(t, s, "jobs", Counts{})
}

func TestAfterCloseThereAreErrors(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 1)})
	send(t, s, "jobs", "a", "b")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.receive(s.queues["jobs"], 2, time.Minute, func(*message) bool { return true }); err == nil || !strings.Contains(err.Error(), errClosed.Error()) {
		t.Errorf("receiving: %v", err)
	}
	expectCounts(t, s, "jobs", Counts{Visible: 2})
	if err := s.Send("jobs", Message{Body: "a"}); err == nil || !strings.Contains(err.Error(), errClosed.Error()) {
		t.Errorf("sending: %v", err)
	}
	if err := s.Map(Mapping{Queue: "jobs", BatchSize: 1, MaximumConcurrency: 1, Invoke: func(context.Context, []byte) ([]byte, error) { return nil, nil }}); err == nil {
		t.Error("mapping is no error")
	}
}
