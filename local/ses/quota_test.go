package ses_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/go-cmp/cmp"

	"fanmail/local/ses"
)

func TestTheRateIsKeptOverRecipients(t *testing.T) {
	now := newClock()
	a := start(t, ses.Config{Clock: now.Now, MaxSendRate: 10})
	for range 10 {
		a.send(t, email("anna@example.org"))
	}
	_, err := a.client.SendEmail(t.Context(), email("anna@example.org"))
	var throttled *types.TooManyRequestsException
	if !errors.As(err, &throttled) || *throttled.Message != "Maximum sending rate exceeded." {
		t.Fatalf("got %v", err)
	}
	now.Advance(100 * time.Millisecond)
	// One credit is enough for a call with five recipients; the four others are a debt.
	a.send(t, email("a@example.org", "b@example.org", "c@example.org", "d@example.org", "e@example.org"))
	now.Advance(400 * time.Millisecond)
	a.sendError(t, email("anna@example.org"))
	now.Advance(100 * time.Millisecond)
	a.send(t, email("anna@example.org"))
	a.sendError(t, email("anna@example.org"))

	for range 100 {
		now.Advance(100 * time.Millisecond)
		a.send(t, email("anna@example.org"))
	}
	now.Advance(time.Hour)
	for range 10 {
		a.send(t, email("anna@example.org"))
	}
	a.sendError(t, email("anna@example.org"))
}

func TestTheQuotaIsOneOfRolling24Hours(t *testing.T) {
	now := newClock()
	a := start(t, ses.Config{Clock: now.Now, MaxSendRate: 1000, Max24HourSend: 4})
	a.send(t, email("a@example.org"))
	now.Advance(12 * time.Hour)
	// With one recipient left a call with several passes as a whole.
	a.send(t, email("a@example.org", "b@example.org"))
	a.send(t, email("a@example.org", "b@example.org"))
	_, err := a.client.SendEmail(t.Context(), email("c@example.org"))
	var throttled *types.TooManyRequestsException
	if !errors.As(err, &throttled) || *throttled.Message != "Daily message quota exceeded." {
		t.Fatalf("got %v", err)
	}

	now.Advance(12*time.Hour + time.Minute)
	if got := a.Quota().SentLast24Hours; got != 4 {
		t.Errorf("SentLast24Hours is %v", got)
	}
	now.Advance(12 * time.Hour)
	a.send(t, email("c@example.org"))
	if got := a.Quota().SentLast24Hours; got != 1 {
		t.Errorf("SentLast24Hours is %v", got)
	}
}

func TestGetAccountTellsTheQuota(t *testing.T) {
	a := start(t, ses.Config{MaxSendRate: 14, Max24HourSend: 200})
	a.send(t, email("a@example.org", "b@example.org"))
	a.send(t, email("bounce+x@simulator.amazonses.com"))
	account, err := a.client.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	if err != nil {
		t.Fatal(err)
	}
	if q := account.SendQuota; q.Max24HourSend != 200 || q.MaxSendRate != 14 || q.SentLast24Hours != 2 {
		t.Errorf("quota is %+v", q)
	}
	if *account.EnforcementStatus != "HEALTHY" || !account.ProductionAccessEnabled || !account.SendingEnabled {
		t.Errorf("account is %+v", account)
	}
}

func TestSettingsChangeWhileItRuns(t *testing.T) {
	now := newClock()
	a := start(t, ses.Config{Clock: now.Now, MaxSendRate: 1})
	post := func(body string, status int) {
		t.Helper()
		response, err := http.Post(a.url+"/_ses/settings", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var answer bytes.Buffer
		answer.ReadFrom(response.Body)
		if response.StatusCode != status {
			t.Errorf("POST %s: %d %s", body, response.StatusCode, answer.String())
		}
	}
	post(`{"sendingEnabled":false}`, 200)
	_, err := a.client.SendEmail(t.Context(), email("a@example.org"))
	if paused := (*types.SendingPausedException)(nil); !errors.As(err, &paused) {
		t.Errorf("got %v", err)
	}
	account, err := a.client.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	if err != nil || account.SendingEnabled || account.SendQuota.MaxSendRate != 1 {
		t.Errorf("got %+v %v", account, err)
	}
	post(`{"sendingEnabled":true,"maxSendRate":100,"max24HourSend":-1}`, 200)
	now.Advance(time.Second)
	for range 100 {
		a.send(t, email("a@example.org"))
	}
	a.sendError(t, email("a@example.org"))

	before := a.Settings()
	for _, body := range []string{`{"maxSendRate":0}`, `{"maxSendRate":5,"max24HourSend":-2}`, `{"latencyMilliseconds":-1}`, `{"speed":1}`, `{"enforcementStatus":"FINE"}`,
		`{"identities":[{"name":"a.example"},{"nam":"b.example"}]}`, `{"configurationSets":[{"name":"a","destinations":[{"types":["SENT"]}]}]}`,
		`{"maxSendRate":"5"}`, `no`} {
		post(body, 400)
	}
	if diff := cmp.Diff(before, a.Settings()); diff != "" {
		t.Errorf("refused changes have changed:\n%s", diff)
	}
}

func TestLatencyIsWaitedForAndCloseEndsIt(t *testing.T) {
	a := start(t, ses.Config{Latency: time.Hour})
	done := make(chan error, 1)
	ctx := context.WithoutCancel(t.Context())
	go func() {
		_, err := a.client.SendEmail(ctx, email("a@example.org"))
		done <- err
	}()
	for a.Accepted() == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-done:
		t.Fatalf("answered before the latency was over: %v", err)
	default:
	}
	a.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAClockThatJumpsByDaysRenewsWhatItShould(t *testing.T) {
	now, events := newClock(), newTarget()
	a := start(t, ses.Config{Clock: now.Now, MaxSendRate: 2, Max24HourSend: 3, Publish: events.publish})
	for day := range 4 {
		for _, want := range []float64{1, 2} {
			a.send(t, tracked("anna@example.org"))
			if got := a.Quota().SentLast24Hours; got != want {
				t.Errorf("day %d: SentLast24Hours is %v, want %v", day, got, want)
			}
		}
		if e := a.sendError(t, email("anna@example.org")); e.ErrorMessage() != ses.ErrRate.Message {
			t.Errorf("day %d: got %v, want the rate to be used up", day, e)
		}
		now.Advance(time.Minute)
		a.send(t, tracked("anna@example.org"))
		if e := a.sendError(t, email("anna@example.org")); e.ErrorMessage() != ses.ErrDailyQuota.Message {
			t.Errorf("day %d: got %v, want the daily quota to be used up", day, e)
		}
		now.Advance(24*time.Hour + time.Minute)
		if got := a.Quota().SentLast24Hours; got != 0 {
			t.Errorf("a day after day %d SentLast24Hours is %v", day, got)
		}
	}
	entries := a.entries(t)
	for i, r := range events.next(t, 2*len(entries)) {
		if want := entries[i/2].Time.Format("2006-01-02T15:04:05.000Z"); r.Mail.Timestamp != want {
			t.Errorf("event %d is of a message of %s, want %s", i, r.Mail.Timestamp, want)
		}
	}
	if first, last := entries[0].Time, entries[len(entries)-1].Time; last.Sub(first) < 3*24*time.Hour {
		t.Errorf("the mailbox's times go from %s to %s", first, last)
	}
}
