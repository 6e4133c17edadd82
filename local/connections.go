package local

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// sampleEvery is the time between two samples.
	sampleEvery = 100 * time.Millisecond
	// sampleTimeout bounds one sample, connecting included.
	sampleTimeout = 5 * time.Second
	// watcher is the application_name of the sampling session, which does not count itself.
	watcher = "fanmail-watch"
)

// sampleSQL counts the sessions of the functions' role, and of migrate as the administrator, as the server sees them. The
// name is a guard against a session with any other role: all that we open is called fanmail-. Who is no superuser sees no
// more than the role of a session that belongs to another.
const sampleSQL = `
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND coalesce(backend_type, 'client backend') = 'client backend'
  AND (usename = $1 OR application_name LIKE 'fanmail-%') AND coalesce(application_name, '') <> '` + watcher + `'`

// Sample is the number of sessions at a time.
type Sample struct {
	At       time.Time
	Sessions int
}

// Connections counts the sessions on the database ten times a second, through a session of its own. What opens and closes
// between two samples is not seen.
type Connections struct {
	config   *pgx.ConnConfig
	role     string
	logger   *slog.Logger
	conn     *pgx.Conn
	baseline int64
	peak     atomic.Int64
	current  atomic.Int64
	samples  atomic.Int64
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex
	history []Sample
}

// watch takes the first sample, the baseline, and goes on until close. role is that of the functions.
func watch(ctx context.Context, url, role string, logger *slog.Logger) (*Connections, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database's URL: %w", err)
	}
	config.RuntimeParams["application_name"] = watcher
	c := &Connections{config: config, role: role, logger: logger, done: make(chan struct{})}
	if c.baseline, err = c.sample(ctx); err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	c.peak.Store(c.baseline)
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go c.run(ctx)
	return c, nil
}

func (c *Connections) run(ctx context.Context) {
	defer close(c.done)
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		n, err := c.sample(ctx)
		if err != nil {
			if !failed && ctx.Err() == nil {
				c.logger.Warn("counting the connections to PostgreSQL failed; it is tried again", "error", err)
			}
			failed = true
			continue
		}
		failed = false
		c.peak.Store(max(c.peak.Load(), n))
	}
}

// sample counts once. After a failure the next sample connects anew.
func (c *Connections) sample(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	if c.conn == nil {
		conn, err := pgx.ConnectConfig(ctx, c.config.Copy())
		if err != nil {
			return 0, err
		}
		c.conn = conn
	}
	var n int64
	// The simple protocol also works behind a pooler.
	if err := c.conn.QueryRow(ctx, sampleSQL, pgx.QueryExecModeSimpleProtocol, c.role).Scan(&n); err != nil {
		c.conn.Close(ctx)
		c.conn = nil
		return 0, err
	}
	c.current.Store(n)
	c.samples.Add(1)
	c.keep(Sample{At: time.Now(), Sessions: int(n)})
	return n, nil
}

// keep adds a sample to the history. Of a run of equal samples it keeps the first and the last, so that a runtime that stays
// up for days does not grow.
func (c *Connections) keep(s Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.history); n >= 2 && c.history[n-1].Sessions == s.Sessions && c.history[n-2].Sessions == s.Sessions {
		c.history[n-1] = s
		return
	}
	c.history = append(c.history, s)
}

// History is the samples so far, in order. Between two that are further apart than a tenth of a second nothing changed.
func (c *Connections) History() []Sample {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.history)
}

// Baseline is the number of sessions before the runtime opened any.
func (c *Connections) Baseline() int { return int(c.baseline) }

// Peak is the largest number of sessions that was ever seen, the baseline included.
func (c *Connections) Peak() int { return int(c.peak.Load()) }

// Current is the number of sessions at the last sample.
func (c *Connections) Current() int { return int(c.current.Load()) }

// Samples is the number of samples so far.
func (c *Connections) Samples() int { return int(c.samples.Load()) }

func (c *Connections) close() error {
	c.cancel()
	<-c.done
	if c.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sampleTimeout)
	defer cancel()
	return c.conn.Close(ctx)
}
