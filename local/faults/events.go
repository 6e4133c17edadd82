package faults

import (
	"strconv"
	"time"

	"fanmail/local/ses"
)

// Event gives the copies of an event that are published, as delays: for ses.Config.EventFault.
func (s *Service) Event(e ses.EventInfo) []time.Duration {
	r := s.current()
	wanted := r.settings.Events
	about := []string{e.Tags[tagCampaign], e.Recipient, e.EventType}
	happens := func(kind string, share float64) bool {
		return share > 0 && roll(r.settings.Seed, kind, about...) < share
	}
	if happens("lose", wanted.Lose) {
		s.counts.eventsLost.Add(1)
		return nil
	}
	copies := make([]time.Duration, 1, 2)
	if happens("double", wanted.Double) {
		s.counts.eventsDoubled.Add(1)
		copies = append(copies, 0)
	}
	if wanted.DelayMilliseconds > 0 {
		for i := range copies {
			copies[i] = duration(wanted.DelayMilliseconds * roll(r.settings.Seed, "eventDelay"+strconv.Itoa(i), about...))
		}
		s.counts.eventsDelayed.Add(1)
	}
	return copies
}

// DeliverTwice tells whether the queue is to deliver a message once more: for sqs.Config.Duplicate.
func (s *Service) DeliverTwice(messageID string) bool {
	r := s.current()
	share := r.settings.Events.DeliverTwice
	if share == 0 || roll(r.settings.Seed, "deliverTwice", messageID) >= share {
		return false
	}
	s.counts.deliveredTwice.Add(1)
	return true
}

// DeliverScheduleTwice tells whether Scheduler is to make a delivery once more: for scheduler.Config.Twice.
func (s *Service) DeliverScheduleTwice(schedule string, due time.Time) bool {
	r := s.current()
	share := r.settings.Schedule.Double
	if share == 0 || roll(r.settings.Seed, "schedule", schedule, due.UTC().Format(time.RFC3339)) >= share {
		return false
	}
	s.counts.schedulesDoubled.Add(1)
	return true
}
