package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
)

// TestMain plays a process of the bare loop when the environment asks for it.
func TestMain(m *testing.M) {
	part := os.Getenv("FANMAIL_TEST_LOOP")
	switch part {
	case "":
		os.Exit(m.Run())
	case "broken":
		io.WriteString(os.Stderr, "SES is gone\n")
		os.Exit(1)
	case "silent":
		os.Exit(0)
	}
	if err := (Loop{Folder: springSale(), Share: Share{1, 3}, SES: accepting{}}).Run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// accepting is an SES for many calls at a time, which capture is not.
type accepting struct{}

func (accepting) SendEmail(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error) {
	return &sesv2.SendEmailOutput{MessageId: aws.String("accepted")}, nil
}

func startPart(t *testing.T, part string) *Process {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), self)
	command.Env = []string{"FANMAIL_TEST_LOOP=" + part}
	p, err := StartProcess(command)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAProcessIsReadyStartedAndDone(t *testing.T) {
	p := startPart(t, "loop")
	if err := p.await(ready); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.await(done), p.end(), p.end()); err != nil {
		t.Fatalf("%v; it said %q", err, p.stderr.String())
	}
}

func TestAProcessThatFailsSaysWhy(t *testing.T) {
	for part, want := range map[string]string{"broken": "SES is gone", "silent": "EOF"} {
		if err := startPart(t, part).await(ready); err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%s: got %v, want %s", part, err, want)
		}
	}
}

func TestSharesCoverTheListOnce(t *testing.T) {
	for _, c := range []struct {
		recipients int64
		processes  int
		want       int
	}{{100, 10, 10}, {7, 3, 3}, {2, 5, 2}, {1, 1, 1}} {
		all, next := shares(c.recipients, c.processes), int64(1)
		for _, s := range all {
			if s.First != next || s.Last < s.First {
				t.Errorf("%d recipients, %d processes: %v", c.recipients, c.processes, all)
			}
			next = s.Last + 1
		}
		if len(all) != c.want || next != c.recipients+1 {
			t.Errorf("%d recipients, %d processes: %v", c.recipients, c.processes, all)
		}
	}
}
