package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// What a process of the bare loop says, a line each.
const (
	ready = "ready"
	done  = "done"
)

// Process is a running process of the bare loop.
type Process struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  bytes.Buffer
	end     func() error // waits for its end
}

// StartProcess runs command, which is to call Loop.Run with its standard input and output.
func StartProcess(command *exec.Cmd) (*Process, error) {
	p := &Process{command: command}
	var err error
	if p.in, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out, command.Stderr = bufio.NewReader(out), &p.stderr
	p.end = sync.OnceValue(command.Wait)
	return p, command.Start()
}

// await waits until the process says what is expected, or explains why it does not.
func (p *Process) await(expected string) error {
	line, err := p.out.ReadString('\n')
	if err == nil && strings.TrimSpace(line) == expected {
		return nil
	}
	ended := p.end()
	if said := strings.TrimSpace(p.stderr.String()); said != "" {
		ended = errors.New(said)
	}
	return fmt.Errorf("a process of the bare loop has failed: %w", cmp.Or(ended, err, fmt.Errorf("it said %q", line)))
}

// loop mails the list once more by the bare loop, in as many processes as there were senders. The time runs from the start
// signal, when all are ready, to the last answer.
func (b Bench) loop(ctx context.Context, processes int) (speedOf Speed, err error) {
	b.Progress.Step("preparing the bare loop")
	ctx, cancel := context.WithCancel(ctx)
	var all []*Process
	defer func() {
		if err != nil {
			cancel() // whoever still runs is killed
		}
		for _, p := range all {
			if ended := p.end(); err == nil {
				err = ended
			}
		}
		cancel()
	}()
	for _, share := range shares(b.Recipients, processes) {
		p, err := b.Loop(ctx, share)
		if err != nil {
			return speedOf, fmt.Errorf("starting the bare loop: %w", err)
		}
		all = append(all, p)
	}
	for _, p := range all {
		if err := p.await(ready); err != nil {
			return speedOf, err
		}
	}
	defer b.show("bare loop", b.Recipients)()
	begun := time.Now()
	var waiting errgroup.Group
	for _, p := range all {
		waiting.Go(func() error {
			if _, err := fmt.Fprintln(p.in); err != nil {
				return err
			}
			return p.await(done)
		})
	}
	err = waiting.Wait()
	return speed(b.Recipients, time.Since(begun)), err
}

// shares divides the list evenly.
func shares(recipients int64, processes int) []Share {
	var all []Share
	for i := range int64(processes) {
		first, last := recipients*i/int64(processes)+1, recipients*(i+1)/int64(processes)
		if first <= last {
			all = append(all, Share{First: first, Last: last})
		}
	}
	return all
}
