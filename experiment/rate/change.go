package main

import (
	"context"
	"time"

	"fanmail/experiment"
	"fanmail/local/ses"
)

// changing is the campaign during which SES's limit changes.
const changing = "changing"

const (
	// beforeChange, halved and afterChange are how long SES has its limit, half of it, and its limit again.
	beforeChange = 5 * time.Second
	halved       = 10 * time.Second
	afterChange  = 15 * time.Second
)

// Change is a campaign during which SES's limit is halved and then raised again. Plan reads the limit once per wave, so all that
// the senders know of it are throttles.
type Change struct {
	Recipients int64 `json:"recipients"`
	Mailed     int64 `json:"mailed"`
	Doubled    int64 `json:"doubled"`
	// Refused are the calls that SES throttled.
	Refused int64   `json:"refused"`
	Phases  []Phase `json:"phases"`
}

// Phase is a time in which SES's limit is the same.
type Phase struct {
	Limit   float64 `json:"limit"`
	Seconds float64 `json:"seconds"`
	// Rate is how many messages SES accepted per second, Settled the same without the first half.
	Rate    float64 `json:"rate"`
	Settled float64 `json:"settled"`
	// Refused are the calls that SES throttled meanwhile.
	Refused int64 `json:"refused"`
}

// mark is the moment at which a phase begins.
type mark struct {
	at      time.Time
	limit   float64
	refused int64
}

// changeLimit mails a third campaign, long enough that it is still sending when the limit is raised again.
func (s *stage) changeLimit(ctx context.Context) (*Change, error) {
	o := s.options
	c := &Change{Recipients: int64(o.rate * (beforeChange + halved + afterChange).Seconds())}
	before := s.refused()
	s.options.Progress("halving SES's limit while a campaign of %s is mailed, and raising it again", experiment.Number(c.Recipients))
	if err := s.upload(ctx, changing, c.Recipients); err != nil {
		return nil, err
	}
	execution, err := s.start(ctx, changing)
	if err != nil {
		return nil, err
	}
	var marks []mark
	err = beside(ctx, func(ctx context.Context) error { return s.finish(ctx, execution) }, func(ctx context.Context) (err error) {
		marks, err = s.halve(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.Refused = s.refused() - before
	log, err := s.log(ctx)
	if err != nil {
		return nil, err
	}
	log = of(log, changing)
	c.Mailed, c.Doubled = experiment.Mailed(log)
	c.Phases = phases(log, marks)
	return c, nil
}

// halve halves the limit when the campaign is being sent, raises it again, and returns when that was.
func (s *stage) halve(ctx context.Context) ([]mark, error) {
	if err := s.awaitWave(ctx, changing); err != nil {
		return nil, err
	}
	// The bucket is full when the campaign begins; a second uses that up.
	if err := experiment.Wait(ctx, time.Second); err != nil {
		return nil, err
	}
	o := s.options
	var marks []mark
	for _, phase := range []struct {
		limit float64
		long  time.Duration
	}{{o.rate, beforeChange}, {o.rate / 2, halved}, {o.rate, afterChange - settling}} {
		_, err := s.runtime.SES().Change(func(settings *ses.Settings) error {
			settings.MaxSendRate = phase.limit
			return nil
		})
		if err != nil {
			return nil, err
		}
		marks = append(marks, mark{time.Now(), phase.limit, s.refused()})
		if err := experiment.Wait(ctx, phase.long); err != nil {
			return nil, err
		}
	}
	return append(marks, mark{time.Now(), o.rate, s.refused()}), nil
}

// phases are those between the marks; the limit of a mark is that of the phase that begins there.
func phases(log []ses.Entry, marks []mark) []Phase {
	var all []Phase
	for i, m := range marks[:len(marks)-1] {
		next := marks[i+1]
		long := next.at.Sub(m.at)
		half := m.at.Add(long / 2)
		all = append(all, Phase{
			Limit: m.limit, Seconds: long.Seconds(), Refused: next.refused - m.refused,
			Rate:    float64(between(log, m.at, next.at)) / long.Seconds(),
			Settled: float64(between(log, half, next.at)) / next.at.Sub(half).Seconds(),
		})
	}
	return all
}
