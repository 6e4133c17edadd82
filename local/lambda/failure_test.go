package lambda

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFunctionErrorsAreReportedAsOnAWS(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Second}}})
	for _, test := range []struct {
		do, errorType, message string
		survives               bool
	}{
		{"error", "NotToday", `^not today$`, true},
		{"wrapped", "wrapError", `^wrapped: inner$`, true},
		{"panic", "string", `^oh no$`, false},
		{"exit", "Runtime.ExitError", `^RequestId: [0-9a-f-]{36} Error: Runtime exited without providing a reason$`, false},
		{"crash", "Runtime.ExitError", `^RequestId: [0-9a-f-]{36} Error: Runtime exited with error: signal: killed$`, false},
		{"hang", "Sandbox.Timedout", `^RequestId: [0-9a-f-]{36} Error: Task timed out after 1.00 seconds$`, false},
		{"large", "Function.ResponseSizeTooLarge", `exceeded maximum allowed payload size \(6291556 bytes\)`, false},
	} {
		before := c.call("f", map[string]any{}).PID
		got := c.fail("f", map[string]any{"do": test.do, "size": maxResponse})
		if got.ErrorType != test.errorType || !regexp.MustCompile(test.message).MatchString(got.ErrorMessage) {
			t.Errorf("%s: %s: %s", test.do, got.ErrorType, got.ErrorMessage)
		}
		if after := c.call("f", map[string]any{}).PID; (after == before) != test.survives {
			t.Errorf("%s: environment %d before, %d after; must survive: %v", test.do, before, after, test.survives)
		}
	}
	if stats := c.service.Stats()["f"]; stats.Errors != 7 || stats.Timeouts != 1 || stats.Started != 6 {
		t.Errorf("stats %+v", stats)
	}
}

func TestLargestResponseFits(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Timeout: time.Minute}}})
	output := c.invoke("f", map[string]any{"do": "large", "size": maxResponse - 2})
	if output.FunctionError != nil || len(output.Payload) != maxResponse {
		t.Errorf("error %v, %d bytes", output.FunctionError, len(output.Payload))
	}
}

func TestFailedInitIsReportedAndTheNextInvocationStartsAfresh(t *testing.T) {
	init := func(what string) Function {
		return Function{Name: what, Environment: map[string]string{"TEST_INIT": what}}
	}
	c := serve(t, Config{Functions: []Function{init("exit"), init("error"), init("hang")}})
	c.service.initLimit = 2 * time.Second
	for function, want := range map[string]functionError{
		"exit":  {ErrorType: "Runtime.ExitError", ErrorMessage: "Error: Runtime exited with error: exit status 7"},
		"error": {ErrorType: "Extension.Init", ErrorMessage: "no luck"},
		"hang":  {ErrorType: "Sandbox.Timedout", ErrorMessage: "Error: Task timed out after 2.00 seconds"},
	} {
		got := c.fail(function, map[string]any{})
		if got.ErrorType != want.ErrorType || !strings.HasSuffix(got.ErrorMessage, want.ErrorMessage) {
			t.Errorf("%s: %s: %s", function, got.ErrorType, got.ErrorMessage)
		}
		if function == "exit" && !bytes.Contains(got.logs, []byte("this init exits")) {
			t.Errorf("the log of the failed init is %q", got.logs)
		}
	}
	c.fail("exit", map[string]any{})
	if stats := c.service.Stats()["exit"]; stats.Started != 2 || stats.Warm != 0 || stats.Errors != 2 {
		t.Errorf("stats %+v", stats)
	}
}

func TestLogsGoToTheFileAndTheirTailToTheCaller(t *testing.T) {
	directory := t.TempDir()
	c := serve(t, Config{LogDirectory: directory, Functions: []Function{{Name: "f"}}})
	c.invoke("f", map[string]any{"do": "print", "text": "from the first\n"})
	c.invoke("f", map[string]any{"do": "print", "text": strings.Repeat("long line ", 20_000)})
	got := c.fail("f", map[string]any{"do": "error"})
	tail := string(got.logs)
	if !strings.HasPrefix(tail, "START RequestId: ") || !strings.Contains(tail, "not today") || !strings.Contains(tail, "\nREPORT RequestId: ") || strings.Contains(tail, "long line") {
		t.Errorf("tail %q", tail)
	}
	log, err := os.ReadFile(filepath.Join(directory, "f.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "from the first\nEND RequestId: ") || strings.Count(string(log), "long line ") != 20_000 || strings.Count(string(log), "REPORT ") != 3 {
		t.Errorf("log of %d bytes begins %.300q", len(log), log)
	}
	if !regexp.MustCompile(`Init Duration: [0-9.]+ ms`).Match(log) || strings.Count(string(log), "Init Duration") != 1 {
		t.Error("the cold start, and only it, must be seen in the log")
	}
}

// TestEnvironmentsDieWithTheService runs a service in a process of its own (the test binary again) and kills it while
// one environment is frozen.
func TestEnvironmentsDieWithTheService(t *testing.T) {
	if os.Getenv("FANMAIL_TEST_BINARY") != "" {
		c := serve(t, Config{Functions: []Function{{Name: "f"}}})
		os.Stdout.WriteString("pid " + strconv.Itoa(c.call("f", map[string]any{}).PID) + "\n")
		select {}
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), "FANMAIL_TEST_BINARY="+binary)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var line [64]byte
	n, err := output.Read(line[:])
	command.Process.Kill()
	command.Wait()
	pid, parseErr := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "pid ")))
	if err != nil || parseErr != nil {
		t.Fatalf("%q, %v, %v", line[:n], err, parseErr)
	}
	eventually(t, "the environment dies", func() bool { return !alive(pid) || zombie(pid) })
}

// zombie tells whether a process is dead, only not yet reaped by init.
func zombie(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return err == nil && bytes.Contains(status, []byte("State:\tZ"))
}
