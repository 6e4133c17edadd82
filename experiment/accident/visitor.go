package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// visitorRole is another user of the database, who has nothing to do with the mailing.
	visitorRole = "visitor"
	// visitEvery is the time between two visits; visitTimeout bounds one.
	visitEvery   = 500 * time.Millisecond
	visitTimeout = 10 * time.Second
	// tooManyConnections is the SQLSTATE of a server without a free slot.
	tooManyConnections = "53300"
)

// visitor connects from time to time, as the other programs of a database do, and goes again.
type visitor struct {
	url                string
	visits, turnedAway int
	cancel             context.CancelFunc
	done               chan struct{}
	err                error
}

func startVisitor(ctx context.Context, url string) *visitor {
	v := &visitor{url: url, done: make(chan struct{})}
	ctx, v.cancel = context.WithCancel(ctx)
	go v.run(ctx)
	return v
}

func (v *visitor) run(ctx context.Context) {
	defer close(v.done)
	ticker := time.NewTicker(visitEvery)
	defer ticker.Stop()
	for {
		if err := v.visit(context.WithoutCancel(ctx)); err != nil {
			v.err = err
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (v *visitor) visit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	v.visits++
	conn, err := pgx.Connect(ctx, v.url)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == tooManyConnections {
		v.turnedAway++
		return nil
	}
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// stop ends the visits.
func (v *visitor) stop() error {
	v.cancel()
	<-v.done
	return v.err
}
