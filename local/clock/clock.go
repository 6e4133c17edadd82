// Package clock is the clock of the local runtime: real time plus an offset that can be moved forward, so that a test need
// not live through the days that a campaign waits for its quota.
package clock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// farthest is how far the clock may be ahead of real time.
const farthest = 100 * 365 * 24 * time.Hour

// Clock runs with real time. The zero value is real time itself; it is safe for concurrent use and is not to be copied.
type Clock struct {
	file string // "": the offset is not kept

	// moving is held by one Advance at a time, and mu for what follows.
	moving sync.Mutex
	mu     sync.Mutex
	offset time.Duration
	moved  chan struct{} // closed at each Advance; nil while nobody waits
}

// Open makes a clock that goes on where the last one with this file stood, and keeps its offset there.
func Open(file string) (*Clock, error) {
	c := &Clock{file: file}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading how far the clock was advanced: %w", err)
	}
	var kept state
	err = json.Unmarshal(text, &kept)
	if err == nil {
		c.offset, err = time.ParseDuration(kept.Offset)
	}
	if err == nil && (c.offset < 0 || c.offset > farthest) {
		err = fmt.Errorf("%s is not from 0 to %s", c.offset, farthest)
	}
	if err != nil {
		return nil, fmt.Errorf("reading how far the clock was advanced from %s: %w (write {\"offset\": \"24h\"}, or remove the file for real time)", file, err)
	}
	return c, nil
}

// state is the content of the file, and the answer of the HTTP route.
type state struct {
	Now    *time.Time `json:"now,omitempty"`
	Offset string     `json:"offset"`
}

// Now is the time on this clock.
func (c *Clock) Now() time.Time { return time.Now().Add(c.Offset()) }

// Offset is how far the clock is ahead of real time, in whole microseconds.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// Advance moves the clock forward by d, in whole microseconds. apply, unless nil, is called with the new offset before Now
// knows it: what else has to move moves then, so that whoever wakes finds all clocks moved. An error of apply leaves this clock as it
// was.
func (c *Clock) Advance(d time.Duration, apply func(offset time.Duration) error) error {
	d = d.Truncate(time.Microsecond)
	c.moving.Lock()
	defer c.moving.Unlock()
	before := c.Offset()
	switch {
	case d <= 0:
		return fmt.Errorf("advancing the clock by %s: it goes forward only, by a microsecond or more", d)
	case d > farthest-before:
		return fmt.Errorf("advancing the clock by %s: it may be %s ahead of real time at most, and is %s ahead now", d, farthest, before)
	}
	// The file goes first: after a kill in between, a clock may have been advanced without an answer, but never goes back.
	if err := c.keep(before + d); err != nil {
		return fmt.Errorf("advancing the clock by %s: %w", d, err)
	}
	if apply != nil {
		if err := apply(before + d); err != nil {
			return errors.Join(fmt.Errorf("advancing the clock by %s: %w", d, err), c.keep(before))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = before + d
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
	return nil
}

// keep replaces the file in one step.
func (c *Clock) keep(offset time.Duration) error {
	if c.file == "" {
		return nil
	}
	text, err := json.Marshal(state{Offset: offset.String()})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(c.file), filepath.Base(c.file)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), c.file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// WaitUntil waits until the clock shows at: by the flow of time, or because it is advanced. The error is that of ctx.
func (c *Clock) WaitUntil(ctx context.Context, at time.Time) error {
	for {
		c.mu.Lock()
		wait := at.Sub(time.Now().Add(c.offset))
		if c.moved == nil {
			c.moved = make(chan struct{})
		}
		moved := c.moved
		c.mu.Unlock()
		if wait <= 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-moved:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
