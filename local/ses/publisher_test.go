package ses_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fanmail/local/ses"
)

func TestAFailedPublishIsTriedAgain(t *testing.T) {
	events := newTarget()
	var failures atomic.Int64
	a := start(t, ses.Config{Publish: func(p []ses.Published) error {
		if failures.Add(1) <= 2 {
			return errors.New("the queue is away")
		}
		return events.publish(p)
	}})
	id := a.send(t, tracked("anna@example.org"))
	if got := events.next(t, 2); got[0].EventType != "Send" || got[1].EventType != "Delivery" || got[1].Mail.MessageID != id {
		t.Errorf("got %+v", got)
	}
}

func TestAcceptanceDoesNotWaitForThePublisherAndCloseDoesNotWaitForItsRetries(t *testing.T) {
	tried := make(chan bool, 1000)
	config := ses.Config{Directory: t.TempDir(), MaxSendRate: 1000, Publish: func([]ses.Published) error {
		tried <- true
		return errors.New("the queue is away")
	}}
	a := start(t, config)
	for range 50 {
		a.send(t, tracked("anna@example.org"))
	}
	<-tried
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	events := newTarget()
	config.Publish = events.publish
	again := start(t, config)
	seen := map[string]int{}
	for _, r := range events.next(t, 100) {
		seen[r.Mail.MessageID+r.EventType]++
	}
	if len(seen) != 100 {
		t.Errorf("%d different events, want 100", len(seen))
	}
	again.Close()

	// Everything is published and noted: a third run has nothing to do but what is new.
	third := start(t, config)
	id := third.send(t, tracked("ben@example.org"))
	if got := events.next(t, 2); got[0].Mail.MessageID != id {
		t.Errorf("an old event was published again: %+v", got[0])
	}
}

func TestACursorOfAnotherMailboxPublishesAll(t *testing.T) {
	for name, cursor := range map[string]string{"behind the end": "99999\n", "in a line": "5\n"} {
		t.Run(name, func(t *testing.T) {
			directory, events := t.TempDir(), newTarget()
			before := start(t, ses.Config{Directory: directory})
			id := before.send(t, tracked("anna@example.org"))
			before.Close()
			if err := os.WriteFile(filepath.Join(directory, "events.cursor"), []byte(cursor), 0o644); err != nil {
				t.Fatal(err)
			}
			start(t, ses.Config{Directory: directory, Publish: events.publish})
			if got := events.next(t, 1); got[0].Mail.MessageID != id {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestAnUnreadableCursorIsReported(t *testing.T) {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "events.cursor"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ses.New(ses.Config{Directory: directory, Publish: newTarget().publish})
	if err == nil || !strings.Contains(err.Error(), "remove the file") {
		t.Errorf("got %v", err)
	}
}

// killed is set for the process that TestAKillLosesNoEvent kills.
const killed = "FANMAIL_TEST_SES_DIRECTORY"

// TestAKillLosesNoEvent kills a process whose publisher has published some events and hangs with the others.
func TestAKillLosesNoEvent(t *testing.T) {
	if directory := os.Getenv(killed); directory != "" {
		serveUntilKilled(t, directory)
		return
	}
	directory := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestAKillLosesNoEvent$")
	child.Env = append(os.Environ(), killed+"="+directory)
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		child.Process.Kill()
		child.Wait()
	}()
	lines := bufio.NewScanner(output)
	lines.Scan()
	dying := &account{client: newClient(lines.Text())}
	first := dying.send(t, tracked("anna@example.org"))
	for _, want := range []string{first + "Send", first + "Delivery"} {
		if lines.Scan(); lines.Text() != want {
			t.Fatalf("the child published %s, want %s", lines.Text(), want)
		}
	}
	events := map[string]bool{}
	const n = 200
	var group sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		group.Go(func() {
			for range n / 4 {
				id := dying.send(t, tracked("anna@example.org"))
				mu.Lock()
				events[id+"Send"], events[id+"Delivery"] = true, true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	// The child's second call of Publish never returns.
	if lines.Scan(); lines.Text() != "stuck" {
		t.Fatalf("the child said %s", lines.Text())
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait()
	survivors := newTarget()
	start(t, ses.Config{Directory: directory, Publish: survivors.publish})
	for len(events) > 0 {
		r := survivors.next(t, 1)[0]
		delete(events, r.Mail.MessageID+r.EventType)
		if r.Mail.MessageID == first && r.EventType == "Send" {
			t.Log("an event was published twice: at least once is what is promised")
		}
	}
}

func serveUntilKilled(t *testing.T, directory string) {
	calls := 0
	service, err := ses.New(ses.Config{Directory: directory, MaxSendRate: 1e6, Publish: func(events []ses.Published) error {
		if calls++; calls == 2 {
			fmt.Println("stuck")
			select {}
		}
		for _, event := range events {
			var r record
			if err := json.Unmarshal(event.Body, &r); err != nil {
				return err
			}
			fmt.Println(r.Mail.MessageID + r.EventType)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(httptest.NewServer(service).URL)
	select {}
}
