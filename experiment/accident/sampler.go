package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// sampleEvery is the time between two samples; sampleTimeout bounds one.
const (
	sampleEvery   = 100 * time.Millisecond
	sampleTimeout = 10 * time.Second
)

// sampleSQL counts all sessions of clients but those of the experiment itself and of the local runtime's own watch.
const sampleSQL = `
select count(*) from pg_stat_activity
where backend_type = 'client backend' and datname = current_database()
  and usename <> '` + visitorRole + `' and application_name not in ('` + observer + `', 'fanmail-watch')`

// sampler looks ten times a second, through a superuser's session that it keeps from the start: on a server that is full it
// could not open another.
type sampler struct {
	conn         *pgx.Conn
	refusals     *refusals
	environments func() int
	start        time.Time
	samples      []Sample
	cancel       context.CancelFunc
	done         chan struct{}
	err          error
}

// startSampler takes the first sample before it returns. start is the zero of the samples' time.
func startSampler(ctx context.Context, s *server, environments func() int) (*sampler, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	refusals, err := openRefusals(s.log)
	if err != nil {
		return nil, err
	}
	p := &sampler{conn: conn, refusals: refusals, environments: environments, start: time.Now(), done: make(chan struct{})}
	ctx, p.cancel = context.WithCancel(ctx)
	if err := p.sample(ctx); err != nil {
		return nil, err
	}
	go p.run(ctx)
	return p, nil
}

func (p *sampler) run(ctx context.Context) {
	defer close(p.done)
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := p.sample(context.WithoutCancel(ctx)); err != nil {
			p.err = err
			return
		}
	}
}

func (p *sampler) sample(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	var s Sample
	if err := p.conn.QueryRow(ctx, sampleSQL).Scan(&s.Connections); err != nil {
		return fmt.Errorf("counting the sessions: %w", err)
	}
	s.Seconds, s.Environments = time.Since(p.start).Seconds(), p.environments()
	var err error
	if s.Refused, err = p.refusals.count(); err != nil {
		return fmt.Errorf("reading the server's log: %w", err)
	}
	p.samples = append(p.samples, s)
	return nil
}

// stop takes a last sample and returns all, with time counted from zero.
func (p *sampler) stop(zero time.Time) ([]Sample, error) {
	p.cancel()
	<-p.done
	ctx := context.Background()
	defer p.conn.Close(ctx)
	defer p.refusals.close()
	if p.err == nil {
		p.err = p.sample(ctx)
	}
	for i := range p.samples {
		p.samples[i].Seconds -= zero.Sub(p.start).Seconds()
	}
	return p.samples, p.err
}
