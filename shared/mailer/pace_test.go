package mailer

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"fanmail/shared/campaign"
)

func TestEveryCallKeepsToItsTimeSlot(t *testing.T) {
	m := newMailer(t, "http://127.0.0.1:1")
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var mu sync.Mutex
		var starts []time.Duration
		m.ses = sesFunc(func() (*sesv2.SendEmailOutput, error) {
			mu.Lock()
			defer mu.Unlock()
			starts = append(starts, time.Since(began))
			return &sesv2.SendEmailOutput{MessageId: aws.String("m")}, nil
		})
		chunk := chunkOf(5)
		chunk.Start, chunk.Spacing, chunk.LastStart = began.Add(2*time.Second), 100*time.Millisecond, began.Add(2*time.Second+350*time.Millisecond)
		outcomes := m.Send(context.Background(), chunk)
		for i, start := range starts {
			if want := 2*time.Second + time.Duration(i)*100*time.Millisecond; start != want {
				t.Errorf("call %d started after %v, want %v", i, start, want)
			}
		}
		if len(starts) != 4 || outcomes[4].Kind != NotAccepted {
			t.Errorf("%d calls, last outcome %+v; want 4 calls, and the one past the last start not accepted", len(starts), outcomes[4])
		}
	})
}

func TestNoSlotWaitsForTheAnswerToAnEarlierOne(t *testing.T) {
	const n, spacing = 50, 5 * time.Millisecond
	for _, test := range []struct {
		name       string
		attachment int
		inFlight   int
	}{
		{"all in flight", 0, n},
		{"no more than the memory holds", attached / 4, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMailer(t, "http://127.0.0.1:1")
			if test.attachment > 0 {
				m = New(m.ses, &campaign.Content{Campaign: m.campaign, Attachments: []campaign.Attachment{{Data: make([]byte, test.attachment)}}}, m.templates, "")
			}
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var inFlight, most, late atomic.Int64
				m.ses = sesFunc(func() (*sesv2.SendEmailOutput, error) {
					if now := inFlight.Add(1); now > most.Load() {
						most.Store(now)
					}
					if time.Since(began)%spacing != 0 {
						late.Add(1)
					}
					time.Sleep(time.Second)
					inFlight.Add(-1)
					return &sesv2.SendEmailOutput{MessageId: aws.String("m")}, nil
				})
				chunk := chunkOf(n)
				chunk.Start, chunk.Spacing, chunk.LastStart = began, spacing, began.Add(time.Minute)
				outcomes := m.Send(context.Background(), chunk)
				if most.Load() != int64(test.inFlight) || late.Load() > 0 {
					t.Errorf("%d calls in flight, want %d; %d calls were between two slots", most.Load(), test.inFlight, late.Load())
				}
				for i, outcome := range outcomes {
					if want := i >= test.inFlight; outcome.Missed != want {
						t.Errorf("message %d: %+v; missed: want %v", i, outcome, want)
					}
				}
			})
		})
	}
}

func TestASlotThatIsMissedIsLostUnlessTheSenderIsTooSlowForAny(t *testing.T) {
	for _, test := range []struct {
		name    string
		late    bool
		spacing time.Duration
		missed  []int
	}{
		{"a sender that was held up for 50 ms", false, 10 * time.Millisecond, []int{1, 2, 3}},
		{"a sender that is too slow", true, 10 * time.Millisecond, nil},
		{"slots that are too fine", false, finest - 1, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMailer(t, "http://127.0.0.1:1")
			synctest.Test(t, func(t *testing.T) {
				m.ses = sesFunc(func() (*sesv2.SendEmailOutput, error) { return &sesv2.SendEmailOutput{MessageId: aws.String("m")}, nil })
				chunk := chunkOf(8)
				chunk.Start, chunk.Spacing, chunk.Late = time.Now().Add(-50*time.Millisecond), test.spacing, test.late
				chunk.LastStart = chunk.Start.Add(time.Minute)
				var missed []int
				for i, outcome := range m.Send(context.Background(), chunk) {
					if outcome.Missed {
						missed = append(missed, i)
					} else if outcome.Kind != Accepted {
						t.Errorf("message %d: %+v", i, outcome)
					}
				}
				if !slices.Equal(missed, test.missed) {
					t.Errorf("missed %v, want %v", missed, test.missed)
				}
			})
		})
	}
}

func TestACancelledContextStartsNoFurtherCall(t *testing.T) {
	m := newMailer(t, "http://127.0.0.1:1")
	ctx, cancel := context.WithCancel(context.Background())
	m.ses = sesFunc(func() (*sesv2.SendEmailOutput, error) {
		cancel()
		return &sesv2.SendEmailOutput{MessageId: aws.String("m")}, nil
	})
	chunk := chunkOf(2)
	chunk.Spacing = time.Hour
	chunk.LastStart = chunk.Start.Add(2 * time.Hour)
	outcomes := m.Send(ctx, chunk)
	if outcomes[0].Kind != Accepted || outcomes[1].Kind != NotAccepted {
		t.Errorf("outcomes %+v, want the first accepted and the second not", outcomes)
	}
}
