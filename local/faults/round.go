package faults

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// round is the time in which the same Settings hold.
type round struct {
	service  *Service
	settings Settings
	ctx      context.Context
	cancel   context.CancelFunc

	mu sync.Mutex
	// working is what still goes on in the background. It is added to only while ctx lives and mu is held.
	working sync.WaitGroup
	// calls are the calls of SES so far, by the hash of campaign and recipient.
	calls map[uint64]uint32
	// hit are the recipients whose message had its named point, by the same.
	hit map[uint64]bool
	// claims are those that SES has seen, by their hash; true for those whose sender is killed at a point.
	claims map[uint64]bool
}

func newRound(s *Service, settings Settings) *round {
	r := &round{service: s, settings: settings, calls: map[uint64]uint32{}, hit: map[uint64]bool{}, claims: map[uint64]bool{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// begin starts what happens from time to time.
func (r *round) begin() {
	nothing := func() {}
	r.every(r.settings.Send.KillEveryMilliseconds, "kill", r.killAny, nothing)
	r.every(r.settings.Send.TimeOutEveryMilliseconds, "timeOut", r.timeOutAny, nothing)
	t := &terminator{round: r}
	r.every(r.settings.Database.TerminateEveryMilliseconds, "terminate", t.terminateAny, t.disconnect)
}

// end stops all that goes on, and waits for it.
func (r *round) end() {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	r.working.Wait()
}

// spawn runs f in the background, which must end with ctx. Nothing is started after end.
func (r *round) spawn(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return false
	}
	r.working.Go(f)
	return true
}

// every calls f again and again, and finally once; the times in between are evenly spread from half to one and a half of the mean.
func (r *round) every(milliseconds float64, kind string, f func(*rand.Rand), finally func()) {
	if milliseconds == 0 {
		return
	}
	random := rand.New(rand.NewPCG(uint64(r.settings.Seed), hash(kind)))
	r.spawn(func() {
		defer finally()
		for r.sleep(time.Duration((0.5 + random.Float64()) * float64(duration(milliseconds)))) {
			f(random)
		}
	})
}

// sleep tells whether the round goes on.
func (r *round) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return r.ctx.Err() == nil
	case <-r.ctx.Done():
		return false
	}
}
