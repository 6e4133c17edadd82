package mailer

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
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
