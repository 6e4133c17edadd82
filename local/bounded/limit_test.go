package bounded

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local"
	"fanmail/local/postgres"
)

func TestTheLimitOfTheRoleHoldsWhenConcurrencyIsFarTooHigh(t *testing.T) {
	t.Parallel()
	const (
		senders = 40
		limit   = 8
		// Together with the senders they would want more than max_connections.
		others         = 50
		maxConnections = 70
		n              = 50 * senders
	)
	d := deploy(t, postgres.Config{MaxConnections: maxConnections}, local.Options{Senders: senders, SESLatency: 50 * time.Millisecond})
	// Plan keeps to the limit that it sees, and so would the campaign. It is lowered behind Plan's back, when the first sender
	// connects. The functions that come after the senders get their slots from those that have nothing more to do.
	var lowered sync.Once
	sending := make(chan struct{})
	d.proxy.onArrival(func(application string) {
		if application == "fanmail-send" {
			lowered.Do(func() {
				d.alterRole(fmt.Sprintf("connection limit %d", limit))
				d.alterRole("set idle_session_timeout = '2s'")
				close(sending)
			})
		}
	})
	d.upload(n)
	sampled := d.sample()
	execution := d.start()
	select {
	case <-sending:
	case <-time.After(patience):
		t.Fatal("no sender has come to connect")
	}
	stop := d.occupy(others)
	r := d.succeed(execution)
	held := stop()
	sampled.within(t, limit)
	if held < others {
		t.Errorf("the other user never held more than %d sessions: the campaign was over too soon for this test", held)
	}
	if r.State != "finished" || r.Sent != n {
		t.Errorf("want finished with %d sent: %+v", n, r)
	}
	d.audit(n)
	if busy := d.Lambda().Stats()["fanmail-local-send"].PeakConcurrency; busy <= 2*limit {
		t.Errorf("%d senders at once: too few for this test", busy)
	}
	if d.logged("send", "no connection slot free") == 0 {
		t.Error("no sender was refused a connection: this test is to make them wait for each other")
	}
}

// occupy connects as another user again and again, up to n sessions at once, of which it then renews the oldest. Each connect
// must succeed. stop ends it, and returns how many sessions there were at once.
func (d *stack) occupy(n int) (stop func() int) {
	d.t.Helper()
	d.execute("create role neighbour login password 'neighbour'")
	address, err := url.Parse(d.server.URL())
	if err != nil {
		d.t.Fatal(err)
	}
	address.User = url.UserPassword("neighbour", "neighbour")
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan int, 1)
	go func() {
		var held []*pgx.Conn
		for pace := time.NewTicker(20 * time.Millisecond); ctx.Err() == nil; <-pace.C {
			connection, err := pgx.Connect(ctx, address.String())
			if err != nil {
				if ctx.Err() == nil {
					d.t.Errorf("another user of the database with %d sessions: %v", len(held), err)
				}
				break
			}
			if held = append(held, connection); len(held) > n {
				_ = held[0].Close(ctx)
				held = held[1:]
			}
		}
		for _, connection := range held {
			_ = connection.Close(context.WithoutCancel(ctx))
		}
		done <- len(held)
	}()
	return func() int { cancel(); return <-done }
}

// logged counts how often the words stand in the log of a function.
func (d *stack) logged(function, words string) int {
	d.t.Helper()
	log, err := os.ReadFile(filepath.Join(d.Directory(), "logs", "fanmail-local-"+function+".log"))
	if err != nil {
		d.t.Fatal(err)
	}
	return bytes.Count(log, []byte(words))
}
