package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// function is a fake of a function: it notes each invocation, and answers as answer says.
type function struct {
	t      *testing.T
	start  time.Time
	answer func(context.Context, events.SQSEvent) (any, error)

	mu      sync.Mutex
	running int
	most    int // at a time
	batches []invocation
}

type invocation struct {
	at    time.Duration // since the start
	event events.SQSEvent
	bytes int
}

func (f *function) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event events.SQSEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		f.t.Errorf("the event is no JSON: %v", err)
	}
	f.mu.Lock()
	f.running++
	f.most = max(f.most, f.running)
	f.batches = append(f.batches, invocation{time.Since(f.start), event, len(payload)})
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.running--
	}()
	if f.answer == nil {
		return []byte("null"), nil
	}
	answer, err := f.answer(ctx, event)
	if err != nil {
		return nil, err
	}
	response, err := json.Marshal(answer)
	if err != nil {
		f.t.Error(err)
	}
	return response, nil
}

// shape is the sizes of the batches and when they came.
func (f *function) shape() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, b := range f.batches {
		out = append(out, fmt.Sprintf("%v:%d", b.at, len(b.event.Records)))
	}
	return strings.Join(out, " ")
}

func (f *function) invocations() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.batches)
}

// mapped starts a mapping of the queue jobs, with batches of 10 and a concurrency of 2 if it says nothing else.
func mapped(t *testing.T, s *Service, m Mapping, answer func(context.Context, events.SQSEvent) (any, error)) *function {
	t.Helper()
	f := &function{t: t, start: time.Now(), answer: answer}
	m.Queue, m.Function, m.Invoke = "jobs", "f", f.invoke
	if m.BatchSize == 0 {
		m.BatchSize = 10
	}
	if m.MaximumConcurrency == 0 {
		m.MaximumConcurrency = 2
	}
	if err := s.Map(m); err != nil {
		t.Fatal(err)
	}
	return f
}

// inBubble runs a test with a clock that leaps: everything in it is over in no time, and at exactly foreseeable times.
func inBubble(t *testing.T, config Config, test func(*testing.T, *Service)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, open(t, config)) })
}

func after(d time.Duration) { time.Sleep(d); synctest.Wait() }

func TestConcurrencyIsReachedAndNeverPassed(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 3)}, func(t *testing.T, s *Service) {
		send(t, s, "jobs", numbered(100)...)
		f := mapped(t, s, Mapping{MaximumConcurrency: 3}, func(context.Context, events.SQSEvent) (any, error) {
			time.Sleep(time.Second)
			return nil, nil
		})
		after(time.Minute)
		if f.most != 3 || f.shape() != "0s:10 0s:10 0s:10 1s:10 1s:10 1s:10 2s:10 2s:10 2s:10 3s:10" {
			t.Errorf("%d at a time: %s", f.most, f.shape())
		}
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestBatchesFillToTheirSizeOrTheWindow(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 3)}, func(t *testing.T, s *Service) {
		f := mapped(t, s, Mapping{BatchSize: 1000, Window: 5 * time.Second}, nil)
		after(time.Second)
		send(t, s, "jobs", numbered(2500)...)
		after(2 * time.Second)
		send(t, s, "jobs", numbered(3)...)
		after(2 * time.Second)
		if err := s.Send("jobs", Message{"delayed", 500 * time.Millisecond}, Message{"too late", 2 * time.Second}); err != nil {
			t.Fatal(err)
		}
		after(time.Minute)
		if f.shape() != "1s:1000 1s:1000 6s:504 12s:1" {
			t.Error(f.shape())
		}
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestWithoutAWindowABatchDoesNotWait(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 3)}, func(t *testing.T, s *Service) {
		f := mapped(t, s, Mapping{}, nil)
		send(t, s, "jobs", "a")
		after(time.Second)
		send(t, s, "jobs", "b", "c")
		after(time.Second)
		if f.shape() != "0s:1 1s:2" {
			t.Error(f.shape())
		}
	})
}

func TestAnEventHasAtMost6MB(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 3)}, func(t *testing.T, s *Service) {
		large, quoted := strings.Repeat("x", maxMessageBytes), strings.Repeat(`"`, maxMessageBytes)
		send(t, s, "jobs", large, large, large, large, large, large, quoted, quoted, quoted)
		f := mapped(t, s, Mapping{BatchSize: 1000, Window: time.Second, MaximumConcurrency: 1}, nil)
		after(time.Minute)
		if f.shape() != "0s:5 0s:3 1s:1" { // 6 x 1 MB, but for the rest of the event; then 1 + 2 + 2, and 2
			t.Error(f.shape())
		}
		for _, b := range f.batches {
			if b.bytes > 6<<20 {
				t.Errorf("an event of %d bytes", b.bytes)
			}
		}
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestOnlyFailedMessagesComeBackAndDieInTheEnd(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 3)}, func(t *testing.T, s *Service) {
		start := time.Now().UnixMilli()
		send(t, s, "jobs", "good", "bad", "good too", "once bad")
		f := mapped(t, s, Mapping{ReportBatchItemFailures: true}, func(_ context.Context, event events.SQSEvent) (any, error) {
			time.Sleep(time.Second)
			response := events.SQSEventResponse{}
			for _, r := range event.Records {
				if r.Body == "bad" || r.Body == "once bad" && r.Attributes["ApproximateReceiveCount"] == "1" {
					response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
				}
			}
			return response, nil
		})
		after(10 * time.Second)
		expectCounts(t, s, "jobs", Counts{InFlight: 2})
		after(time.Hour)
		if f.shape() != "0s:4 1m0s:2 2m0s:1" {
			t.Error(f.shape())
		}
		last := f.batches[2].event.Records[0]
		if last.Body != "bad" || last.Attributes["ApproximateReceiveCount"] != "3" || last.MessageId != f.batches[0].event.Records[1].MessageId {
			t.Errorf("the last delivery is %+v", last)
		}
		expectCounts(t, s, "jobs", Counts{})
		dead := take(t, s, "dead", 10)
		if len(dead) != 1 || dead[0].body != "bad" || dead[0].sent != start || dead[0].id.String() != last.MessageId || dead[0].source != "jobs" {
			t.Errorf("dead are %+v", dead)
		}
	})
}

func TestABatchThatFailsAsAWholeComesBackAsAWhole(t *testing.T) {
	tests := map[string]struct {
		report bool
		answer any
		err    error
	}{
		"an error":                    {false, nil, errors.New("exit status 2")},
		"an error of one who reports": {true, nil, errors.New("exit status 2")},
		"an unknown message":          {true, json.RawMessage(`{"batchItemFailures":[{"itemIdentifier":"nobody"}]}`), nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Config{Queues: two(time.Minute, 2)}, func(t *testing.T, s *Service) {
				send(t, s, "jobs", numbered(4)...)
				f := mapped(t, s, Mapping{ReportBatchItemFailures: test.report}, func(context.Context, events.SQSEvent) (any, error) { return test.answer, test.err })
				after(time.Hour)
				if f.shape() != "0s:4 1m0s:4" {
					t.Error(f.shape())
				}
				expectCounts(t, s, "dead", Counts{Visible: 4})
			})
		})
	}
}

func TestWithoutReportingTheResponseDoesNotMatter(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 2)}, func(t *testing.T, s *Service) {
		send(t, s, "jobs", "a")
		mapped(t, s, Mapping{}, func(context.Context, events.SQSEvent) (any, error) { return "whatever", nil })
		after(time.Second)
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestAThrottledBatchIsTriedAgainWhileItIsHidden(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 2)}, func(t *testing.T, s *Service) {
		send(t, s, "jobs", "a")
		left := 3
		f := mapped(t, s, Mapping{}, func(context.Context, events.SQSEvent) (any, error) {
			if left--; left >= 0 {
				return nil, fmt.Errorf("TooManyRequestsException: %w", ErrThrottled)
			}
			return nil, nil
		})
		after(time.Hour)
		if f.shape() != "0s:1 100ms:1 300ms:1 700ms:1" {
			t.Error(f.shape())
		}
		if got := f.batches[3].event.Records[0].Attributes["ApproximateReceiveCount"]; got != "1" {
			t.Errorf("the receive count is %s", got)
		}
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestThrottlesAloneMoveAMessageToTheDeadLetterQueue(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 2)}, func(t *testing.T, s *Service) {
		send(t, s, "jobs", "a")
		f := mapped(t, s, Mapping{}, func(context.Context, events.SQSEvent) (any, error) { return nil, ErrThrottled })
		after(time.Hour)
		if n := f.invocations(); n < 10 || n > 40 {
			t.Errorf("%d invocations: %s", n, f.shape())
		}
		expectCounts(t, s, "dead", Counts{Visible: 1})
	})
}

func TestAFunctionThatAlwaysFailsIsNotInvokedInABusyLoop(t *testing.T) {
	inBubble(t, Config{Queues: two(12*time.Hour, 1000)}, func(t *testing.T, s *Service) {
		send(t, s, "jobs", numbered(1000)...)
		var mended atomic.Bool
		f := mapped(t, s, Mapping{BatchSize: 1, MaximumConcurrency: 5}, func(context.Context, events.SQSEvent) (any, error) {
			time.Sleep(10 * time.Millisecond)
			if !mended.Load() {
				return nil, errors.New("no database")
			}
			return nil, nil
		})
		after(time.Minute)
		// Five at a time, after pauses of 0.1, 0.2, 0.4, 0.8, 1.6, 3.2 and then 5 s.
		if n := f.invocations(); n < 60 || n > 90 {
			t.Errorf("%d invocations in a minute: %s", n, f.shape())
		}
		mended.Store(true)
		after(time.Minute)
		if c, err := s.Counts("jobs"); err != nil || c.Visible != 0 {
			t.Errorf("after the mend, the queue holds %+v, %v", c, err)
		}
	})
}

func TestClosingCutsInvocationsOffAndGivesBatchesBack(t *testing.T) {
	config := Config{Queues: two(time.Minute, 2)}
	inBubble(t, config, func(t *testing.T, s *Service) {
		send(t, s, "jobs", numbered(15)...)
		f := mapped(t, s, Mapping{Window: 5 * time.Second}, func(ctx context.Context, _ events.SQSEvent) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		after(time.Second)
		expectCounts(t, s, "jobs", Counts{InFlight: 15}) // five wait for more
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if f.running != 0 || f.shape() != "0s:10" {
			t.Errorf("%d run: %s", f.running, f.shape())
		}
		expectCounts(t, s, "jobs", Counts{Visible: 5, InFlight: 10})
		again := open(t, s.config)
		expectCounts(t, again, "jobs", Counts{Visible: 5, InFlight: 10})
	})
}

func TestDuplicatesAreDeliveredOnceMore(t *testing.T) {
	config := Config{Queues: two(time.Minute, 1), Duplicate: func(id string) bool { return id[0] < '8' }}
	inBubble(t, config, func(t *testing.T, s *Service) {
		send(t, s, "jobs", numbered(500)...)
		f := mapped(t, s, Mapping{BatchSize: 50, Window: time.Second}, nil)
		after(time.Hour)
		times := map[string]int{}
		for _, b := range f.batches {
			for _, r := range b.event.Records {
				times[r.MessageId]++
			}
		}
		for id, n := range times {
			if want := 1 + map[bool]int{true: 1}[id[0] < '8']; n != want {
				t.Errorf("%s was delivered %d times", id, n)
			}
		}
		if len(times) != 500 {
			t.Errorf("%d messages were delivered", len(times))
		}
		expectCounts(t, s, "jobs", Counts{})
		expectCounts(t, s, "dead", Counts{})
	})
}

func TestManyMessagesAreConsumedOnceEachInOrder(t *testing.T) {
	inBubble(t, Config{Queues: two(time.Minute, 3)}, func(t *testing.T, s *Service) {
		send(t, s, "jobs", numbered(20_000)...)
		f := mapped(t, s, Mapping{BatchSize: 1000, MaximumConcurrency: 4, Window: time.Second}, nil)
		after(time.Minute)
		var got []string
		slices.SortFunc(f.batches, func(a, b invocation) int {
			return len(a.event.Records[0].Body) - len(b.event.Records[0].Body)
		})
		for _, b := range f.batches {
			if len(b.event.Records) != 1000 {
				t.Errorf("a batch of %d", len(b.event.Records))
			}
			for i, r := range b.event.Records {
				if i > 0 && len(r.Body) < len(b.event.Records[i-1].Body) {
					t.Errorf("%s comes after %s", r.Body, b.event.Records[i-1].Body)
				}
				got = append(got, r.Body)
			}
		}
		want := numbered(20_000)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d messages were delivered", len(got))
		}
		expectCounts(t, s, "jobs", Counts{})
	})
}

func TestAMappingIsChecked(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 3)})
	good := Mapping{Queue: "jobs", Function: "f", BatchSize: 10, MaximumConcurrency: 2, Invoke: func(context.Context, []byte) ([]byte, error) { return nil, nil }}
	tests := map[string]func(*Mapping){
		"no queue":                     func(m *Mapping) { m.Queue = "nowhere" },
		"there is no Invoke":           func(m *Mapping) { m.Invoke = nil },
		"the batch size is 0":          func(m *Mapping) { m.BatchSize = 0 },
		"the batch size is 10001":      func(m *Mapping) { m.BatchSize = 10_001 },
		"the batching window is 5m1s":  func(m *Mapping) { m.Window = 5*time.Minute + time.Second },
		"the maximum concurrency is 0": func(m *Mapping) { m.MaximumConcurrency = 0 },
	}
	for want, change := range tests {
		m := good
		change(&m)
		if err := s.Map(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
