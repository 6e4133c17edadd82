package sqs

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

const childVariable = "FANMAIL_SQS_TEST_CHILD"

// child sends messages in pairs for ever, receives and deletes every fifth, and says what has been acknowledged.
func child(file string) {
	s, err := New(Config{File: file, Queues: []Queue{{Name: "jobs", VisibilityTimeout: time.Hour}}})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	q := s.queues["jobs"]
	for i := 0; ; i += 2 {
		body := func(n int) string { return fmt.Sprintf("%d.%d%s", os.Getpid(), n, strings.Repeat("x", n%3000)) }
		if err := s.Send("jobs", Message{Body: body(i)}, Message{Body: body(i + 1)}); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("sent", os.Getpid(), i)
		if i%10 != 0 {
			continue
		}
		var got []*message
		_, err := s.receive(q, 1, time.Hour, func(m *message) bool { got = append(got, m); return true })
		if err == nil {
			err = s.delete(q, receipts(got))
		}
		if err != nil {
			fmt.Println("error", err)
			return
		}
		for _, m := range got {
			fmt.Println("deleted", strings.TrimRight(m.body, "x"))
		}
	}
}

// TestNothingAcknowledgedIsLostToSIGKILL kills a process that sends and deletes, several times on the same file.
func TestNothingAcknowledgedIsLostToSIGKILL(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sqs.db")
	sent, deleted := map[string]bool{}, map[string]bool{}
	for round := range 6 {
		pid := killOne(t, file, 40+60*round, sent, deleted)
		s := open(t, Config{File: file, Queues: []Queue{{Name: "jobs", VisibilityTimeout: time.Hour}}})
		_ = s.database.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				t.Errorf("round %d: the file is damaged: %v", round, err)
			}
			return nil
		})
		present := map[string]bool{}
		// Both numbers of a pair are there, or none; only the last pair and the last delete may be unacknowledged.
		for _, m := range everything(t, s, "jobs") {
			present[strings.TrimRight(m.body, "x")] = true
		}
		missing, surplus := 0, 0
		for id := range sent {
			if !present[id] && !deleted[id] {
				missing++
			}
		}
		for id := range present {
			if deleted[id] {
				t.Errorf("round %d: %s was deleted and is there", round, id)
			}
			if !sent[id] {
				surplus++
				sent[id] = true
			}
		}
		if missing > 1 || surplus != 0 && surplus != 2 {
			t.Errorf("round %d, process %d: %d messages are missing, %d are there without an acknowledgement", round, pid, missing, surplus)
		}
		for id := range sent {
			if !present[id] {
				deleted[id] = true // by a delete whose acknowledgement the kill cut off
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// everything reads all messages of a queue, whether they are visible or not.
func everything(t *testing.T, s *Service, name string) []*message {
	t.Helper()
	q := s.queues[name]
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.database.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	var out []*message
	for number := range q.all {
		m, _, err := q.rows(tx).read(number)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// killOne runs the child, kills it after so many acknowledgements, and notes them all.
func killOne(t *testing.T, file string, after int, sent, deleted map[string]bool) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+file)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines, n := bufio.NewScanner(out), 0
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch fields[0] {
		case "sent":
			i, err := strconv.Atoi(fields[2])
			if err != nil {
				t.Fatal(err)
			}
			sent[fmt.Sprintf("%s.%d", fields[1], i)], sent[fmt.Sprintf("%s.%d", fields[1], i+1)] = true, true
		case "deleted":
			deleted[fields[1]] = true
		default:
			t.Fatalf("the child says %s", lines.Text())
		}
		if n++; n == after {
			if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = command.Wait() // it was killed
	if n < after {
		t.Fatalf("the child ended after %d acknowledgements", n)
	}
	return command.Process.Pid
}

func TestWhatIsInFlightOrDelayedStaysSoOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := Config{File: filepath.Join(t.TempDir(), "sqs.db"), Queues: two(30*time.Second, 2), Duplicate: func(string) bool { return true }}
		s := open(t, config)
		send(t, s, "jobs", "flying", "doubled", "visible")
		if err := s.Send("jobs", Message{"delayed", time.Minute}); err != nil {
			t.Fatal(err)
		}
		got := take(t, s, "jobs", 2)
		if err := s.delete(s.queues["jobs"], receipts(got[1:])); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		s = open(t, config)
		expectCounts(t, s, "jobs", Counts{Visible: 2, InFlight: 1, Delayed: 1})
		twice := take(t, s, "jobs", 2)
		if got := bodies(twice); got != "doubled visible" {
			t.Errorf("received %q", got)
		}
		if err := s.delete(s.queues["jobs"], receipts(twice[:1])); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		again := take(t, s, "jobs", 9)
		if len(again) != 1 || again[0].received != 2 || again[0].firstReceived != got[0].firstReceived || again[0].sent != got[0].sent || again[0].id != got[0].id {
			t.Errorf("received %q: %+v", bodies(again), again)
		}
		time.Sleep(30 * time.Second)
		if got := bodies(take(t, s, "jobs", 9)); got != "visible delayed" {
			t.Errorf("received %q", got)
		}
		expectCounts(t, s, "dead", Counts{Visible: 1})
	})
}

func TestASecondProcessIsToldThatTheFileIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that the patience costs no time
		s := open(t, Config{Queues: two(time.Minute, 1)})
		if _, err := New(s.config); err == nil || !strings.Contains(err.Error(), "another process has "+s.config.File+" open") {
			t.Errorf("got %v", err)
		}
	})
}

func TestMessagesOfAQueueThatIsNotConfiguredStay(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 1)})
	send(t, s, "dead", "a")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	without := open(t, Config{File: s.config.File, Queues: []Queue{{Name: "jobs"}}})
	if err := without.Close(); err != nil {
		t.Fatal(err)
	}
	expectCounts(t, open(t, s.config), "dead", Counts{Visible: 1})
}

func TestTheFileDoesNotGrowWithWhatIsDeleted(t *testing.T) {
	s := open(t, Config{Queues: two(time.Minute, 3)})
	var early int64
	for round := range 40 {
		for range 5 {
			send(t, s, "jobs", slices.Repeat([]string{strings.Repeat("x", 2000)}, 100)...)
		}
		for range 5 {
			if err := s.delete(s.queues["jobs"], receipts(take(t, s, "jobs", 100))); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(s.config.File)
		if err != nil {
			t.Fatal(err)
		}
		if round == 4 {
			early = info.Size()
		}
		if round > 4 && info.Size() > 2*early {
			t.Fatalf("round %d: %d bytes, after %d in round 4", round, info.Size(), early)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	good, err := newMessage("body", map[string]attribute{"a": {DataType: "Binary", BinaryValue: []byte{1}}}).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:30])
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMessage(b); err == nil {
			again, err := m.encode()
			if err != nil {
				t.Fatal(err)
			}
			if m2, err := parseMessage(again); err != nil || m2.body != m.body || m2.source != m.source || m2.id != m.id {
				t.Fatalf("%v became %v, %v", m, m2, err)
			}
		}
	})
}
