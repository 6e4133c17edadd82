package sqs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkSend sends messages of 2 KB, about the size of an SES event.
func BenchmarkSend(b *testing.B) {
	for _, size := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d at a time", size), func(b *testing.B) {
			s := open(b, Config{Queues: two(time.Minute, 5), Logger: slog.New(slog.DiscardHandler)})
			batch := make([]Message, size)
			for i := range batch {
				batch[i].Body = strings.Repeat("x", 2048)
			}
			for b.Loop() {
				if err := s.Send("jobs", batch...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkConsume has a mapping consume 100,000 messages of 2 KB in batches of 1000.
func BenchmarkConsume(b *testing.B) {
	const total, size = 100_000, 1000
	for b.Loop() {
		b.StopTimer()
		s := open(b, Config{Queues: two(time.Hour, 5), Logger: slog.New(slog.DiscardHandler)})
		batch := make([]Message, size)
		for i := range batch {
			batch[i].Body = strings.Repeat("x", 2048)
		}
		for range total / size {
			if err := s.Send("jobs", batch...); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		var left atomic.Int64
		left.Store(total / size)
		done := make(chan struct{})
		err := s.Map(Mapping{
			Queue: "jobs", BatchSize: size, Window: time.Second, MaximumConcurrency: 4,
			Invoke: func(context.Context, []byte) ([]byte, error) {
				if left.Add(-1) == 0 {
					close(done)
				}
				return []byte("null"), nil
			},
		})
		if err != nil {
			b.Fatal(err)
		}
		<-done
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*total)/b.Elapsed().Seconds(), "messages/s")
}
