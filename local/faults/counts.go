package faults

import "sync/atomic"

// Counts are what has been done since the service was made.
type Counts struct {
	// Kills are all SIGKILLs of senders, KillsAtPoint those of them at a named point.
	Kills        int64 `json:"kills"`
	KillsAtPoint int64 `json:"killsAtPoint"`
	TimeOuts     int64 `json:"timeOuts"`
	// Terminations are of database sessions.
	Terminations   int64 `json:"terminations"`
	Drops          int64 `json:"drops"`
	Throttles      int64 `json:"throttles"`
	InternalErrors int64 `json:"internalErrors"`
	LostAnswers    int64 `json:"lostAnswers"`
	Delays         int64 `json:"delays"`
	EventsLost     int64 `json:"eventsLost"`
	EventsDoubled  int64 `json:"eventsDoubled"`
	EventsDelayed  int64 `json:"eventsDelayed"`
	DeliveredTwice int64 `json:"deliveredTwice"`
	// SchedulesDoubled are deliveries of schedules.
	SchedulesDoubled int64 `json:"schedulesDoubled"`
}

type counters struct {
	kills, killsAtPoint, timeOuts, terminations              atomic.Int64
	drops, throttles, internalErrors, lostAnswers, delays    atomic.Int64
	eventsLost, eventsDoubled, eventsDelayed, deliveredTwice atomic.Int64
	schedulesDoubled                                         atomic.Int64
}

// Counts are what has been done so far.
func (s *Service) Counts() Counts {
	c := &s.counts
	return Counts{
		Kills: c.kills.Load(), KillsAtPoint: c.killsAtPoint.Load(), TimeOuts: c.timeOuts.Load(), Terminations: c.terminations.Load(),
		Drops: c.drops.Load(), Throttles: c.throttles.Load(), InternalErrors: c.internalErrors.Load(), LostAnswers: c.lostAnswers.Load(),
		Delays: c.delays.Load(), EventsLost: c.eventsLost.Load(), EventsDoubled: c.eventsDoubled.Load(), EventsDelayed: c.eventsDelayed.Load(),
		DeliveredTwice: c.deliveredTwice.Load(), SchedulesDoubled: c.schedulesDoubled.Load(),
	}
}
