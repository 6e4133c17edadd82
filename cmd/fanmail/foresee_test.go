package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"fanmail/shared/workflow"
)

func TestStartForecastsInOneLine(t *testing.T) {
	aws := &fakeAWS{unknown: true, describe: succeeded(t), status: finished(), account: sesAccount(50_000, 0, 14), database: roomy}
	got := fanmail(t, newFakeAWS(t, aws), "start", write(t, map[string]string{"recipients.csv": longList(197)}))
	if got.code != exitOK || !strings.HasPrefix(got.stderr, "spring-sale: 197 recipients at 14/s: about 14 seconds, until ") || !strings.Contains(got.stderr, "; about $0.02\n") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestStartGoesOnWithoutATerminalHoweverLongItLasts(t *testing.T) {
	aws := &fakeAWS{unknown: true, describe: succeeded(t), status: finished(), account: sesAccount(100, 0, 14), database: roomy}
	got := fanmail(t, newFakeAWS(t, aws), "start", write(t, map[string]string{"recipients.csv": longList(300)}))
	if got.code != exitOK || aws.started == nil || !strings.HasPrefix(got.stderr, "spring-sale: 300 recipients at 100 a day: 3 days, until ") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestAForecastThatFailsIsNoFailureToStart(t *testing.T) {
	aws := &fakeAWS{unknown: true, describe: succeeded(t), status: finished()}
	got := fanmail(t, newFakeAWS(t, aws), "start", write(t, nil))
	if got.code != exitOK || aws.started == nil || !strings.HasPrefix(got.stderr, "spring-sale: no forecast: asking for the SES account: ") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestStartSaysThatTheAccountIsInTheSandbox(t *testing.T) {
	aws := &fakeAWS{unknown: true, describe: succeeded(t), status: finished(), database: roomy,
		account: sesAccount(200, 0, 1, map[string]any{"ProductionAccessEnabled": false})}
	got := fanmail(t, newFakeAWS(t, aws), "start", write(t, nil))
	if got.code != exitOK || aws.started == nil || !strings.Contains(got.stderr, "spring-sale: this SES account is in the sandbox: ") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

func TestWhatSESWouldHaltIsNotStarted(t *testing.T) {
	for want, change := range map[string]map[string]any{
		"sending is paused for this SES account":                {"SendingEnabled": false},
		"Amazon SES has shut down sending for this account":     {"EnforcementStatus": "SHUTDOWN"},
		"this SES account has a sending rate of 0":              {"SendQuota": map[string]any{"Max24HourSend": 200, "MaxSendRate": 0}},
		"sending is paused for this SES account: enable it in ": {"SendingEnabled": false, "ProductionAccessEnabled": false},
	} {
		aws := &fakeAWS{unknown: true, account: sesAccount(200, 0, 1, change), database: roomy}
		got := fanmail(t, newFakeAWS(t, aws), "start", write(t, nil))
		wantLines(t, got.stderr, "spring-sale was not started: "+want)
		if got.code != exitFailed || len(aws.uploads) > 0 || aws.started != nil {
			t.Errorf("exit code %d, uploads %q, started %v", got.code, aws.uploads, aws.started)
		}
	}
}

func TestAResumedCampaignIsForecastByWhatIsPending(t *testing.T) {
	half := workflow.Report{State: "halted", Execution: fakeARN, RecipientsDigest: goodList, Recipients: 2, Sent: 1, Pending: 1}
	aws := &fakeAWS{status: half, account: sesAccount(200, 0, 1), database: roomy}
	got := fanmail(t, newFakeAWS(t, aws), "start", write(t, nil), "--follow=false")
	if got.code != exitOK || !strings.HasPrefix(got.stderr, "spring-sale: 1 recipient at 1/s: about 1 second, until ") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

// TestALongCampaignIsAskedAboutOnATerminal runs the program itself on a terminal.
func TestALongCampaignIsAskedAboutOnATerminal(t *testing.T) {
	const question = "That is longer than a day. Start spring-sale? [y/N] "
	for _, test := range []struct {
		name    string
		list    int
		flags   string
		answer  string // "" means that no question may come
		started bool
		end     string
	}{
		{"yes", 300, "", "y\n", true, "Started; "},
		{"the word", 300, "", " YES \n", true, "Started; "},
		{"no", 300, "", "n\n", false, "fanmail: spring-sale was not started"},
		{"just enter", 300, "", "\n", false, "fanmail: spring-sale was not started"},
		{"something else", 300, "", "yikes\n", false, "fanmail: spring-sale was not started"},
		{"the end of the input", 300, "", "\x04", false, "fanmail: spring-sale was not started"},
		// What is written at the moment of a Ctrl-C may be lost: a terminal then throws away what waits to be shown.
		{"Ctrl-C", 300, "", "\x03", false, ""},
		{"--yes", 300, " --yes", "", true, "Started; "},
		{"a short one", 100, "", "", true, "Started; "},
	} {
		t.Run(test.name, func(t *testing.T) {
			aws := &fakeAWS{unknown: true, status: finished(), account: sesAccount(100, 0, 14), database: roomy}
			env := newFakeAWS(t, aws)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), self)
			line := "start " + write(t, map[string]string{"recipients.csv": longList(test.list)}) + " --follow=false" + test.flags
			c.Env = append(os.Environ(), "FANMAIL_TEST_MAIN="+line)
			for name, value := range env {
				c.Env = append(c.Env, name+"="+value)
			}
			terminal, err := pty.Start(c)
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			var screen bytes.Buffer
			asked := false
			for buffer := make([]byte, 4096); ; {
				n, err := terminal.Read(buffer)
				screen.Write(buffer[:n])
				if !asked && strings.HasSuffix(screen.String(), question) {
					asked = true
					if _, err := io.WriteString(terminal, test.answer); err != nil {
						t.Fatal(err)
					}
				}
				// Linux says EIO when the program has closed its terminal.
				if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			_ = c.Wait()
			if asked != (test.answer != "") || (aws.started != nil) != test.started || (len(aws.uploads) > 0) != test.started || !strings.Contains(screen.String(), test.end) {
				t.Errorf("asked: %v, started: %v, uploads: %q, the terminal shows\n%s", asked, aws.started, aws.uploads, screen.String())
			}
			want := exitFailed
			switch {
			case test.started:
				want = exitOK
			case test.name == "Ctrl-C":
				want = exitInterrupted
			}
			if code := c.ProcessState.ExitCode(); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
}

// TestNobodyIsAskedWhoCannotSeeTheQuestion: with stderr in a file a question would wait unseen.
func TestNobodyIsAskedWhoCannotSeeTheQuestion(t *testing.T) {
	aws := &fakeAWS{unknown: true, status: finished(), account: sesAccount(100, 0, 14), database: roomy}
	env := newFakeAWS(t, aws)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	terminal, side, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	defer side.Close()
	c := exec.CommandContext(t.Context(), self)
	c.WaitDelay = time.Minute
	c.Env = append(os.Environ(), "FANMAIL_TEST_MAIN=start "+write(t, map[string]string{"recipients.csv": longList(300)})+" --follow=false")
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	var stderr bytes.Buffer
	c.Stdin, c.Stderr = side, &stderr
	if err := c.Run(); err != nil || aws.started == nil || strings.Contains(stderr.String(), "[y/N]") {
		t.Errorf("%v, started %v, %s", err, aws.started, stderr.String())
	}
}
