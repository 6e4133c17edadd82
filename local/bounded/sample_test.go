package bounded

import (
	"context"
	"sync/atomic"
	"testing"
	"time"
)

// samples are counts of the sessions of the functions' role, taken as often as the server answers.
type samples struct {
	peak, taken atomic.Int64
	stop        func()
}

// sample counts until stop is called. Every session of the role counts, whatever it is called.
func (d *stack) sample() *samples {
	d.t.Helper()
	s := new(samples)
	connection := d.admin()
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
		for ticker := time.NewTicker(10 * time.Millisecond); ; {
			var n int64
			err := connection.QueryRow(ctx, "select count(*) from pg_stat_activity where usename = $1", d.Role()).Scan(&n)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				d.t.Errorf("counting the sessions: %v", err)
				return
			}
			s.peak.Store(max(s.peak.Load(), n))
			s.taken.Add(1)
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	s.stop = func() { cancel(); <-done }
	d.t.Cleanup(s.stop)
	return s
}

// within checks that there never were more sessions than the limit, and that there were as many: the limit was put to the test.
func (s *samples) within(t *testing.T, limit int64) {
	t.Helper()
	s.stop()
	t.Logf("at most %d sessions in %d samples, the limit is %d", s.peak.Load(), s.taken.Load(), limit)
	if s.peak.Load() > limit {
		t.Errorf("%d sessions at once, the limit is %d", s.peak.Load(), limit)
	}
	if s.peak.Load() < limit {
		t.Errorf("never more than %d sessions at once: a test of the limit of %d has to reach it", s.peak.Load(), limit)
	}
}
