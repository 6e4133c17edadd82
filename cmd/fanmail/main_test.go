package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMain is the program itself when the environment has a command line for it.
func TestMain(m *testing.M) {
	if line := os.Getenv("FANMAIL_TEST_MAIN"); line != "" {
		os.Args = append([]string{"fanmail"}, strings.Split(line, " ")...)
		main()
	}
	os.Exit(m.Run())
}

func TestASignalEndsTheFollowingInOneLine(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			aws := &fakeAWS{
				unknown: true, describe: []map[string]any{{"status": "RUNNING"}}, status: finished(),
				objects: map[string]string{"campaigns/spring-sale/campaign.yaml": "x"},
			}
			followed := make(chan struct{}, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				aws.ServeHTTP(w, r)
				if r.Header.Get("X-Amz-Target") == "AWSStepFunctions.DescribeExecution" {
					select {
					case followed <- struct{}{}:
					default:
					}
				}
			}))
			defer server.Close()
			env := setAWS(t, server.URL)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), self)
			command.Dir = t.TempDir()
			command.Env = append(os.Environ(), "FANMAIL_TEST_MAIN=start spring-sale")
			for name, value := range env {
				command.Env = append(command.Env, name+"="+value)
			}
			var stdout, stderr bytes.Buffer
			command.Stdout, command.Stderr = &stdout, &stderr
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- command.Wait() }()
			select {
			case <-followed:
			case err := <-ended:
				t.Fatalf("it ended too early: %v, %s", err, stderr.String())
			}
			if err := command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			<-ended
			const last = "fanmail: interrupted; spring-sale goes on by itself: `fanmail status spring-sale` shows how far it is\n"
			if code := command.ProcessState.ExitCode(); code != exitInterrupted || stdout.Len() > 0 || !bytes.HasSuffix(stderr.Bytes(), []byte("\n"+last)) {
				t.Errorf("exit code %d, stdout %q, stderr:\n%s", code, stdout.String(), stderr.String())
			}
			if n := bytes.Count(stderr.Bytes(), []byte("fanmail: ")); n != 1 {
				t.Errorf("%d lines of the program itself:\n%s", n, stderr.String())
			}
		})
	}
}
