package lambda

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestWarmEnvironmentIsReusedAndFrozenInBetween(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	first := c.call("f", map[string]any{})
	before := c.call("f", map[string]any{})
	if before.PID != first.PID || before.Calls != 2 {
		t.Fatalf("the second call was %+v, the first %+v", before, first)
	}
	const pause = 300 // milliseconds, in which a running process would tick about as often
	time.Sleep(pause * time.Millisecond)
	after := c.call("f", map[string]any{})
	if after.Calls != 3 || after.Ticks-before.Ticks > pause/3 {
		t.Errorf("%d ticks while frozen for %d ms", after.Ticks-before.Ticks, pause)
	}
	stats := c.service.Stats()["f"]
	if stats.Started != 1 || stats.Live != 1 || stats.Warm != 1 || stats.Busy != 0 || stats.PeakConcurrency != 1 || stats.Invocations != 3 || stats.Errors != 0 {
		t.Errorf("stats %+v", stats)
	}
	if stats.PeakMemory < 1<<20 || stats.PeakMemory > 1<<30 {
		if _, err := os.Stat("/proc/self/status"); err == nil {
			t.Errorf("peak memory of %d bytes", stats.PeakMemory)
		}
	}
}

func TestMostRecentlyUsedEnvironmentIsTakenFirst(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	slow, quick := newGate(t), newGate(t)
	pids := make(chan int, 1)
	go func() { pids <- c.call("f", map[string]any{"do": "ask", "url": slow.URL}).PID }()
	slow.wait(t, 1)
	close(quick.open)
	other := c.call("f", map[string]any{"do": "ask", "url": quick.URL}).PID
	close(slow.open)
	last := <-pids
	if last == other {
		t.Fatal("two invocations at once ran in one environment")
	}
	for range 3 {
		if got := c.call("f", map[string]any{}).PID; got != last {
			t.Errorf("environment %d, want %d, the most recently used", got, last)
		}
	}
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute, ReservedConcurrency: aws.Int(2)}}})
	g := newGate(t)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { c.call("f", map[string]any{"do": "ask", "url": g.URL}) })
	}
	g.wait(t, 2)
	for range 3 {
		_, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f")})
		var throttled *types.TooManyRequestsException
		if !errors.As(err, &throttled) || throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
			t.Errorf("the third invocation at once: %v", err)
		}
	}
	close(g.open)
	group.Wait()
	c.call("f", map[string]any{})
	if stats := c.service.Stats()["f"]; stats.Throttles != 3 || stats.PeakConcurrency != 2 || stats.Invocations != 3 || stats.Started != 2 {
		t.Errorf("stats %+v", stats)
	}
}

func TestAccountConcurrencyIsSharedByFunctionsWithoutReservation(t *testing.T) {
	c := serve(t, Config{Concurrency: 1, Functions: []Function{{Name: "f", Timeout: time.Minute}, {Name: "g"}}})
	g := newGate(t)
	var group sync.WaitGroup
	group.Go(func() { c.call("f", map[string]any{"do": "ask", "url": g.URL}) })
	g.wait(t, 1)
	_, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("g")})
	var throttled *types.TooManyRequestsException
	if !errors.As(err, &throttled) || throttled.Reason != types.ThrottleReasonConcurrentInvocationLimitExceeded {
		t.Errorf("error %v", err)
	}
	close(g.open)
	group.Wait()
}

func TestCallerWhoHangsUpDoesNotStopTheFunction(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	g := newGate(t)
	ctx, hangUp := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := c.Invoke(ctx, &sdk.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"do":"ask","url":"` + g.URL + `"}`)})
		ended <- err
	}()
	g.wait(t, 1)
	hangUp()
	if err := <-ended; err == nil {
		t.Fatal("the call was not interrupted")
	}
	if busy := c.service.Stats()["f"].Busy; busy != 1 {
		t.Fatalf("%d invocations run after the caller hung up, want 1", busy)
	}
	close(g.open)
	eventually(t, "the invocation ends", func() bool { return c.service.Stats()["f"].Busy == 0 })
	if got := c.call("f", map[string]any{}); got.Calls != 2 {
		t.Errorf("call number %d of the environment, want 2", got.Calls)
	}
}

func TestAsynchronousInvocationRunsBehindTheCaller(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	g := newGate(t)
	output, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent,
		Payload: []byte(`{"do":"ask","url":"` + g.URL + `"}`)})
	if err != nil || output.StatusCode != 202 || len(output.Payload) != 0 {
		t.Fatalf("%+v, %v", output, err)
	}
	g.wait(t, 1)
	close(g.open)
	eventually(t, "the invocation ends", func() bool { return c.service.Stats()["f"].Busy == 0 })
}

func TestCloseGivesASIGTERMOnlyToThoseWhoRegistered(t *testing.T) {
	file := filepath.Join(t.TempDir(), "closed")
	c := serve(t, Config{Functions: []Function{{Name: "polite", Environment: map[string]string{"TEST_SIGTERM_FILE": file}}, {Name: "plain"}}})
	polite, plain := c.call("polite", map[string]any{}), c.call("plain", map[string]any{})
	if err := c.service.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(file); string(data) != "closed" {
		t.Errorf("the callback of WithEnableSIGTERM did not run: %q, %v", data, err)
	}
	if alive(polite.PID) || alive(plain.PID) {
		t.Error("an environment outlived Close")
	}
	if _, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("plain")}); err == nil || !strings.Contains(err.Error(), "has been closed") {
		t.Errorf("invoking after Close: %v", err)
	}
}

func TestCloseWaitsForRunningInvocationsAsLongAsItMay(t *testing.T) {
	for name, patient := range map[string]bool{"patient": true, "impatient": false} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
			g := newGate(t)
			failed := make(chan bool, 1)
			go func() {
				output := c.invoke("f", map[string]any{"do": "ask", "url": g.URL})
				failed <- output.FunctionError != nil
			}()
			g.wait(t, 1)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			closed := make(chan error, 1)
			go func() { closed <- c.service.Close(ctx) }()
			if patient {
				close(g.open)
			} else {
				cancel()
			}
			if err := <-closed; (err == nil) != patient {
				t.Errorf("Close returned %v", err)
			}
			if cut := <-failed; cut == patient {
				t.Errorf("the invocation failed: %v", cut)
			}
		})
	}
}

func TestRecycleRedeployAndKillAll(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	first := c.call("f", map[string]any{}).PID
	c.service.Redeploy()
	second := c.call("f", map[string]any{}).PID
	if second == first || !alive(first) {
		t.Errorf("after Redeploy: environments %d and %d, the old one alive %v", first, second, alive(first))
	}
	c.service.Recycle()
	if alive(first) || alive(second) {
		t.Error("environments outlived Recycle")
	}

	g := newGate(t)
	failed := make(chan functionError, 1)
	go func() { failed <- c.fail("f", map[string]any{"do": "ask", "url": g.URL}) }()
	g.wait(t, 1)
	c.service.Recycle()
	if live := c.service.Stats()["f"].Live; live != 1 {
		t.Errorf("%d environments live; Recycle must leave the busy one alone", live)
	}
	c.service.KillAll()
	if got := <-failed; got.ErrorType != "Runtime.ExitError" || !strings.HasSuffix(got.ErrorMessage, "Error: Runtime exited with error: signal: killed") {
		t.Errorf("the killed invocation failed with %+v", got)
	}
	c.call("f", map[string]any{})
}

func TestIdleEnvironmentThatDiesIsForgotten(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f"}}})
	first := c.call("f", map[string]any{}).PID
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the environment is forgotten", func() bool { return c.service.Stats()["f"].Live == 0 })
	if second := c.call("f", map[string]any{}).PID; second == first {
		t.Error("the same process answered after its death")
	}
}
