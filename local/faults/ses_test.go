package faults

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"fanmail/local/ses"
)

// fates calls SES three times for each of n recipients, with the recipients in the order of the permutation.
func fates(s *Service, order []int) []string {
	fates := make([]string, len(order))
	var group sync.WaitGroup
	for _, i := range order {
		group.Go(func() {
			for range 3 {
				f := s.SES(request("S0", i+1, "c"))
				fates[i] += fmt.Sprint(f.Drop, f.LoseAnswer, f.Error, f.AnswerDelay, ";")
			}
		})
	}
	group.Wait()
	return fates
}

func TestFaultsOfSESRepeatWithTheSeedAndKeepTheirShares(t *testing.T) {
	const n = 5000
	settings := Settings{Seed: 1, SES: SES{Drop: 0.05, Throttle: 0.1, InternalError: 0.2, LoseAnswer: 0.3, Delay: 0.5, DelayMilliseconds: 20}}
	forward := make([]int, n)
	for i := range forward {
		forward[i] = i
	}
	s := serviceOf(t, newWorld(0), settings)
	first := fates(s, forward)
	again := fates(serviceOf(t, newWorld(0), settings), rand.Perm(n))
	if !slices.Equal(first, again) {
		t.Error("the same seed has other faults when calls come in another order")
	}
	settings.Seed = 2
	if slices.Equal(first, fates(serviceOf(t, newWorld(0), settings), forward)) {
		t.Error("another seed has the same faults")
	}

	counts := s.Counts()
	rest := float64(3 * n)
	for _, share := range []struct {
		what string
		got  int64
		want float64
	}{
		{"drops", counts.Drops, 0.05}, {"throttles", counts.Throttles, 0.1 * 0.95}, {"internal errors", counts.InternalErrors, 0.2 * 0.95 * 0.9},
		{"delays", counts.Delays, 0.5},
	} {
		if got := float64(share.got) / rest; math.Abs(got-share.want) > 0.02 {
			t.Errorf("%s: a share of %.3f, want %.3f", share.what, got, share.want)
		}
	}
}

func TestAnAnswerCountsAsLostWhenTheMessageWasAccepted(t *testing.T) {
	s := serviceOf(t, newWorld(0), Settings{SES: SES{LoseAnswer: 1}})
	f := s.SES(request("S0", 1, "c"))
	if !f.LoseAnswer || f.Error != nil || s.Counts().LostAnswers != 0 {
		t.Fatalf("%+v, counts %+v", f, s.Counts())
	}
	f.BeforeAnswer()
	if s.Counts().LostAnswers != 1 {
		t.Errorf("counts %+v", s.Counts())
	}
}

func TestEventsAreLostDoubledAndLateByTheSeed(t *testing.T) {
	s := serviceOf(t, newWorld(0), Settings{Seed: 5, Events: Events{Lose: 0.2, Double: 0.5, DelayMilliseconds: 1000, DeliverTwice: 0.1}})
	var lost, doubled, twice, late int
	for i := range 2000 {
		e := ses.EventInfo{MessageID: fmt.Sprint(i), EventType: "Send", Recipient: fmt.Sprintf("r%d@example.org", i), Tags: map[string]string{tagCampaign: "c"}}
		copies := s.Event(e)
		e.MessageID = "of another run"
		if again := s.Event(e); !slices.Equal(copies, again) {
			t.Fatalf("the same event has %v and %v", copies, again)
		}
		switch len(copies) {
		case 0:
			lost++
		case 2:
			doubled++
		}
		for _, delay := range copies {
			if delay < 0 || delay.Seconds() >= 1 {
				t.Fatalf("late by %s", delay)
			}
			if delay.Seconds() > 0.5 {
				late++
			}
		}
		if s.DeliverTwice(e.MessageID + fmt.Sprint(i)) {
			twice++
		}
	}
	if math.Abs(float64(lost)-400) > 80 || math.Abs(float64(doubled)-800) > 100 || math.Abs(float64(late)-1200) > 150 || math.Abs(float64(twice)-200) > 60 {
		t.Errorf("of 2000 events %d lost, %d doubled, %d late, %d delivered twice", lost, doubled, late, twice)
	}
	if got := s.Counts(); got.EventsLost != int64(2*lost) || got.EventsDoubled != int64(2*doubled) || got.DeliveredTwice != int64(twice) {
		t.Errorf("counts %+v", got)
	}
	quiet := serviceOf(t, newWorld(0), Settings{})
	if copies := quiet.Event(ses.EventInfo{}); len(copies) != 1 || copies[0] != 0 || quiet.DeliverTwice("x") {
		t.Errorf("without faults: %v", copies)
	}
}
