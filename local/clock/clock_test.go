package clock

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestItRunsWithRealTimeAndIsAdvanced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, begin := new(Clock), time.Now()
		if got := c.Now(); !got.Equal(begin) {
			t.Errorf("a new clock shows %s at %s", got, begin)
		}
		told := time.Duration(0)
		apply := func(offset time.Duration) error {
			if told = offset; c.Offset() != 0 {
				t.Error("the clock moved before what has to move with it")
			}
			return nil
		}
		if err := c.Advance(24*time.Hour+999, apply); err != nil || told != 24*time.Hour {
			t.Error(err, told)
		}
		time.Sleep(time.Minute)
		if got := c.Now().Sub(begin); got != 24*time.Hour+time.Minute {
			t.Errorf("it moved by %s", got)
		}
	})
}

func TestItGoesForwardOnlyAndNotTooFar(t *testing.T) {
	c, err := Open(filepath.Join(t.TempDir(), "clock.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{0, -time.Hour, time.Nanosecond, farthest + time.Hour} {
		if err := c.Advance(d, nil); err == nil || c.Offset() != 0 {
			t.Errorf("%s: %v, offset %s", d, err, c.Offset())
		}
	}
	refusal := errors.New("no database")
	if err := c.Advance(time.Hour, func(time.Duration) error { return refusal }); !errors.Is(err, refusal) || c.Offset() != 0 {
		t.Errorf("%v, offset %s", err, c.Offset())
	}
	if again, err := Open(c.file); err != nil || again.Offset() != 0 {
		t.Errorf("kept what was refused: %v %v", again, err)
	}
}

func TestTheOffsetOutlivesTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock.json")
	for want := range 3 {
		c, err := Open(file)
		if err != nil || c.Offset() != time.Duration(want)*36*time.Hour {
			t.Fatalf("%v, offset %s", err, c.Offset())
		}
		if err := c.Advance(36*time.Hour, nil); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
	for _, bad := range []string{"", "{}", `{"offset": "-1h"}`, `{"offset": "tomorrow"}`, `{"offset": "2000000h"}`} {
		if err := os.WriteFile(file, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestWaitingEndsWithTimeWithAdvanceAndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, begin := new(Clock), time.Now()
		if err := c.WaitUntil(t.Context(), begin.Add(-time.Hour)); err != nil || !time.Now().Equal(begin) {
			t.Errorf("a time that is past: %v after %s", err, time.Since(begin))
		}
		if err := c.WaitUntil(t.Context(), begin.Add(time.Hour)); err != nil || time.Since(begin) != time.Hour {
			t.Errorf("the flow of time: %v after %s", err, time.Since(begin))
		}

		at := c.Now()
		ended := make(chan time.Duration)
		for _, days := range []int{1, 3} {
			go func() {
				if err := c.WaitUntil(t.Context(), at.AddDate(0, 0, days)); err != nil {
					t.Error(err)
				}
				ended <- time.Since(at)
			}()
		}
		for range 2 { // then the first is due, and the other has 44 hours to go
			time.Sleep(time.Hour)
			if err := c.Advance(13*time.Hour, nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := <-ended; took != 2*time.Hour {
			t.Errorf("the waiter of one day was woken after %s", took)
		}
		if took := <-ended; took != 46*time.Hour {
			t.Errorf("the waiter of three days was woken after %s", took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.WaitUntil(ctx, c.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestTheHandlerShowsAndMovesTheClock(t *testing.T) {
	c := new(Clock)
	broken := errors.New("the database is away")
	var fails error
	handler := c.Handler(func(_ context.Context, d time.Duration) error {
		return c.Advance(d, func(time.Duration) error { return fails })
	})
	call := func(method, body string) (int, string) {
		t.Helper()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, "/_clock", strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	if status, body := call("GET", ""); status != http.StatusOK || !strings.Contains(body, `"offset":"0s"`) {
		t.Error(status, body)
	}
	if status, body := call("POST", `{"advance":"24h"}`); status != http.StatusOK || !strings.Contains(body, `"offset":"24h0m0s"`) {
		t.Error(status, body)
	}
	fails = broken
	if status, body := call("POST", `{"advance":"24h"}`); status != http.StatusInternalServerError || !strings.Contains(body, "away") {
		t.Error(status, body)
	}
	for _, bad := range []string{"", "{}", `{"advance":"-1h"}`, `{"advance":"0s"}`, `{"advance":24}`, `{"back":"1h"}`} {
		if status, body := call("POST", bad); status != http.StatusBadRequest || !strings.Contains(body, "advancing the clock") {
			t.Error(bad, status, body)
		}
	}
	if status, _ := call("DELETE", ""); status != http.StatusMethodNotAllowed {
		t.Error(status)
	}
	if c.Offset() != 24*time.Hour {
		t.Errorf("offset %s", c.Offset())
	}
}
