package lambda

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// running starts an invocation that ends when the gate opens, and returns its environment and where its outcome comes.
func running(t *testing.T, c caller) (Environment, gate, <-chan functionError) {
	t.Helper()
	g, outcome := newGate(t), make(chan functionError, 1)
	go func() {
		output := c.invoke("f", map[string]any{"do": "ask", "url": g.URL})
		var failure functionError
		if output.FunctionError != nil {
			if err := json.Unmarshal(output.Payload, &failure); err != nil {
				t.Error(err)
			}
		}
		outcome <- failure
	}()
	g.wait(t, 1)
	for _, e := range c.service.Environments() {
		if e.Busy {
			return e, g, outcome
		}
	}
	t.Fatal("no environment is busy")
	return Environment{}, g, nil
}

func TestEveryEnvironmentHasCredentialsOfItsOwn(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute, Environment: map[string]string{"AWS_ACCESS_KEY_ID": "mine"}}, {Name: "g"}}})
	_, g, outcome := running(t, c)
	values := map[string]bool{}
	for _, function := range []string{"f", "g"} {
		a := c.call(function, map[string]any{"do": "environ"})
		c.call(function, map[string]any{})
		key := ""
		for _, variable := range a.Environ {
			if value, ok := strings.CutPrefix(variable, "AWS_ACCESS_KEY_ID="); ok {
				key = value
			}
			if strings.HasPrefix(variable, "AWS_S") {
				if values[variable] {
					t.Errorf("%s is shared", variable)
				}
				values[variable] = true
			}
		}
		found := false
		for _, e := range c.service.Environments() {
			found = found || e == Environment{Function: function, AccessKey: key, PID: a.PID, Invocations: 2}
		}
		if !found || len(key) != 20 || !strings.HasPrefix(key, "ASIA") {
			t.Errorf("%s: key %q, environments %+v", function, key, c.service.Environments())
		}
	}
	close(g.open)
	if failure := <-outcome; failure.ErrorType != "" || len(c.service.Environments()) != 3 || len(values) != 4 {
		t.Errorf("%+v; %+v; %v", failure, c.service.Environments(), values)
	}
}

func TestKillEndsTheInvocationAsACrash(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	e, _, outcome := running(t, c)
	if !c.service.Kill(e.AccessKey) || alive(e.PID) {
		t.Error("it lives")
	}
	if failure := <-outcome; failure.ErrorType != "Runtime.ExitError" || !strings.HasSuffix(failure.ErrorMessage, "Error: Runtime exited with error: signal: killed") {
		t.Errorf("%+v", failure)
	}
	if c.service.Kill(e.AccessKey) || c.service.Kill("") || c.service.TimeOut(e.AccessKey) || c.service.Pause(e.AccessKey) {
		t.Error("the dead are troubled")
	}
	// One that is frozen, too; the next invocation gets a new one.
	before := c.call("f", map[string]any{}).PID
	for _, e := range c.service.Environments() {
		c.service.Kill(e.AccessKey)
	}
	if after := c.call("f", map[string]any{}); after.PID == before || after.Calls != 1 {
		t.Errorf("%d after %d", after.PID, before)
	}
}

func TestTimeOutEndsTheInvocationAsIfItsTimeHadPassed(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: 5 * time.Minute}}})
	e, _, outcome := running(t, c)
	for range 2 {
		if !c.service.TimeOut(e.AccessKey) {
			break // the second may come too late
		}
	}
	if failure := <-outcome; failure.ErrorType != "Sandbox.Timedout" || !strings.HasSuffix(failure.ErrorMessage, "Task timed out after 300.00 seconds") {
		t.Errorf("%+v", failure)
	}
	if stats := c.service.Stats()["f"]; stats.Timeouts != 1 || alive(e.PID) {
		t.Errorf("%+v", stats)
	}
	// A frozen environment has no invocation to time out, and the next one is not concerned.
	c.call("f", map[string]any{})
	if c.service.TimeOut(c.service.Environments()[0].AccessKey) {
		t.Error("an invocation that is over was timed out")
	}
	c.call("f", map[string]any{})
}

func TestPauseStopsAllOfAProcess(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	e, g, outcome := running(t, c)
	if !c.service.Pause(e.AccessKey) {
		t.Fatal("it goes on")
	}
	if runtime.GOOS == "linux" && !stopped(t, e.PID) {
		t.Error("the process is not stopped")
	}
	c.service.Resume(e.AccessKey)
	close(g.open)
	if failure := <-outcome; failure.ErrorType != "" {
		t.Errorf("%+v", failure)
	}
	// Between invocations it is Lambda that freezes and thaws.
	if c.service.Pause(e.AccessKey) {
		t.Error("a frozen environment was paused")
	}
	c.service.Resume(e.AccessKey)
	if runtime.GOOS == "linux" {
		eventually(t, "it is frozen still", func() bool { return stopped(t, e.PID) })
	}

	e, _, outcome = running(t, c)
	if !c.service.Pause(e.AccessKey) || !c.service.Kill(e.AccessKey) || alive(e.PID) {
		t.Error("a paused process can't be killed")
	}
	if failure := <-outcome; failure.ErrorType != "Runtime.ExitError" {
		t.Errorf("%+v", failure)
	}
}

func TestAPausedEnvironmentEndsByItsTimeoutOrWithTheService(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Second}}})
	e, _, outcome := running(t, c)
	c.service.Pause(e.AccessKey) // or its second has passed already
	if failure := <-outcome; failure.ErrorType != "Sandbox.Timedout" || alive(e.PID) {
		t.Errorf("%+v", failure)
	}
	c = serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	e, _, outcome = running(t, c)
	if !c.service.Pause(e.AccessKey) {
		t.Fatal("it goes on")
	}
	c.service.KillAll()
	if <-outcome; alive(e.PID) {
		t.Error("it is still there")
	}
}

// stopped tells whether a process is stopped, on Linux.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(status, []byte("State:\tT"))
}
