package ses

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// gather is how long the publisher lets messages come together before it publishes their events.
	gather = 5 * time.Millisecond
	// maxBatch is the number of messages whose events are published together.
	maxBatch = 500
	// firstRetry and maxRetry are the pauses after a failed Publish.
	firstRetry, maxRetry = 20 * time.Millisecond, 2 * time.Second
)

// publisher publishes the events of all messages in the mailbox, in order. Its cursor is the offset in the mailbox's entries
// up to which everything is published. It is kept on disk and moved after Publish has returned: whatever kills this process,
// every event is published at least once.
type publisher struct {
	service *Service
	path    string
	cursor  int64
	// noticed has an element when there may be something new in the mailbox.
	noticed chan struct{}
	cancel  context.CancelFunc
	ended   chan struct{}
}

func startPublisher(s *Service) (*publisher, error) {
	p := &publisher{service: s, path: filepath.Join(s.config.Directory, "events.cursor"), noticed: make(chan struct{}, 1), ended: make(chan struct{})}
	if err := p.readCursor(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go p.run(ctx)
	return p, nil
}

// notice tells that the mailbox has grown. It never blocks.
func (p *publisher) notice() {
	if p == nil {
		return
	}
	select {
	case p.noticed <- struct{}{}:
	default:
	}
}

// stop ends the publisher and waits for a Publish that is under way.
func (p *publisher) stop() {
	if p != nil {
		p.cancel()
		<-p.ended
	}
}

func (p *publisher) run(ctx context.Context) {
	defer close(p.ended)
	for p.await(ctx) {
		var events []Published
		var end int64
		err := p.insist(ctx, "reading the mailbox", func() (err error) {
			events, end, err = p.next()
			return err
		})
		if err == nil && len(events) > 0 {
			err = p.insist(ctx, "publishing events", func() error { return p.service.config.Publish(events) })
		}
		if err != nil {
			return // ctx has ended
		}
		p.cursor = end
		if err := p.writeCursor(); err != nil {
			p.service.config.Logger.Error("the local SES can't note which events it has published, and may publish some twice: is the disk full?", "error", err)
		}
	}
}

// await waits until the mailbox has something that is not published, and returns false if ctx ends before.
func (p *publisher) await(ctx context.Context) bool {
	for ctx.Err() == nil && p.cursor >= p.size() {
		select {
		case <-p.noticed:
		case <-ctx.Done():
		}
		select {
		case <-time.After(gather):
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// size is the size of the mailbox's entries.
func (p *publisher) size() int64 {
	p.service.mu.Lock()
	defer p.service.mu.Unlock()
	return p.service.mailbox.entriesSize
}

// insist calls f until it succeeds; it returns an error only when ctx has ended.
func (p *publisher) insist(ctx context.Context, what string, f func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstRetry, maxRetry
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, f() },
		backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, pause time.Duration) {
			p.service.config.Logger.Warn("the local SES tries again", "what", what, "error", err, "pause", pause)
		}))
	return err
}

// next reads messages from the cursor on, and returns their events and where the next one begins.
func (p *publisher) next() (events []Published, end int64, err error) {
	end = p.cursor
	lines := bufio.NewReaderSize(io.NewSectionReader(p.service.mailbox.entries, end, p.size()-end), 1<<16)
	for range maxBatch {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		var entry Entry
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, 0, fmt.Errorf("at offset %d of %s: %w", end, p.service.mailbox.entries.Name(), err)
		}
		for _, event := range p.service.events(&entry) {
			if events, err = p.service.copies(events, event, entry.Tags); err != nil {
				return nil, 0, err
			}
		}
		end += int64(len(line))
	}
	return events, end, nil
}

// readCursor sets the cursor to what an earlier run has left. One that does not fit the mailbox is of another mailbox.
func (p *publisher) readCursor() error {
	text, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading which events are published: %w", err)
	}
	if p.cursor, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil {
		return fmt.Errorf("reading which events are published: %s: %w (remove the file to publish all events of the mailbox again)", p.path, err)
	}
	before := make([]byte, 1)
	if p.cursor > 0 {
		if _, err := p.service.mailbox.entries.ReadAt(before, p.cursor-1); err != nil || before[0] != '\n' {
			p.service.config.Logger.Warn("the mailbox is not the one whose events were published: publishing all", "file", p.path)
			p.cursor = 0
		}
	}
	return nil
}

// writeCursor replaces the file as a whole, so that a kill leaves the old cursor or the new one.
func (p *publisher) writeCursor() error {
	next := p.path + ".new"
	if err := os.WriteFile(next, fmt.Appendln(nil, p.cursor), 0o644); err != nil {
		return err
	}
	return os.Rename(next, p.path)
}
