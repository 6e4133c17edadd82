package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func sh(t *testing.T, script string) *process {
	t.Helper()
	p, err := launch("/bin/sh", []string{"-c", script}, os.Environ(), t.TempDir(), "program")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func TestTheExportedVariablesAreReadWhenTheProgramIsReady(t *testing.T) {
	variables, err := sh(t, `echo 'export A=1'; echo 'export B=x=y'; echo '# ready: go'; exec sleep 60`).awaitReady(t.Context())
	if err != nil || variables["A"] != "1" || variables["B"] != "x=y" {
		t.Errorf("%v, %v", variables, err)
	}
	if _, ready := exports("export A=1\n# rea"); ready {
		t.Error("half a line counts")
	}
}

func TestAProgramThatEndsBeforeItIsReadyIsAnError(t *testing.T) {
	_, err := sh(t, "echo 'no memory' >&2; exit 3").awaitReady(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no memory") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("too late"))
	if _, err := sh(t, "exec sleep 60").awaitReady(ctx); err == nil || !strings.Contains(err.Error(), "too late") {
		t.Error(err)
	}
}

func TestStopAsksAndTellsHowItEnded(t *testing.T) {
	ready := func(script string) *process {
		p := sh(t, script+"; echo '# ready'; while :; do sleep 0.05; done")
		if _, err := p.awaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := ready("trap 'exit 0' TERM").stop(); err != nil {
		t.Error(err)
	}
	if err := ready("trap 'echo torn >&2; exit 1' TERM").stop(); err == nil || !strings.Contains(err.Error(), "torn") {
		t.Error(err)
	}
	p := ready(":")
	p.kill()
	if !p.isGone() || p.ended() != "signal: killed" {
		t.Errorf("gone %v, %s", p.isGone(), p.ended())
	}
	if err := p.stop(); err != nil {
		t.Errorf("stopping what is gone: %v", err)
	}
}

func TestTheWatchdogEndsAProgramWhoseExperimentDied(t *testing.T) {
	p := sh(t, "exec sleep 60")
	// So it looks to the watchdog when this process dies.
	if err := p.watchdog.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		t.Fatal("it lives on")
	}
	if status := p.command.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGTERM {
		t.Errorf("ended by %s", status.Signal())
	}
}

func TestTheWatchdogOfAProgramThatHasEndedIsDisarmed(t *testing.T) {
	p := sh(t, "exit 3")
	<-p.exited
	if _, err := p.watchdog.Write([]byte("\n")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("it would still signal the pid: %v", err)
	}
}
