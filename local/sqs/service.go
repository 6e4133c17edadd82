// Package sqs is a local Amazon SQS: standard queues on disk behind SQS's JSON protocol, and Lambda's event source mapping.
//
// What SQS acknowledged is still there when this process is killed. It is not when the machine loses power: nothing is synced to
// the disk, because this is a development runtime.
//
// It differs from AWS knowingly in this: messages are kept until they are deleted, without a retention period; queues come from
// the configuration, not from CreateQueue; StartMessageMoveTask moves everything before it answers; PurgeQueue may be called at
// any time; the receipt handle of an earlier receive never deletes a message that has been received again.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Config describes the queues of one account in one region. Only File is required.
type Config struct {
	// File holds all messages; it is created if missing. One process at a time may have it open.
	File string
	// Queues are all queues. Messages of a queue that is no longer among them stay in the file.
	Queues []Queue
	// Region is us-east-1 by default, Account 000000000000.
	Region, Account string
	// Endpoint is what queue URLs begin with: <endpoint>/<account>/<name>.
	Endpoint string
	// Logger is told of messages that move to a dead-letter queue and of invocations that fail; the default discards it.
	Logger *slog.Logger
	// Duplicate, if set, is asked about every message that is deleted after a success: true delivers it once more, as the real
	// SQS may. It must be quick, and must not call the service.
	Duplicate func(messageID string) bool
}

// Service is a local SQS. It is an http.Handler for the SQS API and safe for concurrent use.
type Service struct {
	config  Config
	log     *slog.Logger
	queues  map[string]*queue
	closing context.Context
	close   context.CancelFunc
	once    sync.Once
	// inFlightLimit is maxInFlight; tests lower it.
	inFlightLimit int

	// mu guards the database, the queues' indexes, and closed. bbolt has one writer at a time, so finer locks would gain nothing.
	mu       sync.Mutex
	database *bolt.DB
	closed   bool
	// mappings are the running event source mappings.
	mappings sync.WaitGroup
}

var errClosed = errors.New("the local SQS is closed")

// New opens the file and reads which messages there are.
func New(config Config) (*Service, error) {
	if config.File == "" {
		return nil, errors.New("starting the local SQS: no file for the messages is given")
	}
	if config.Region == "" {
		config.Region = "us-east-1"
	}
	if config.Account == "" {
		config.Account = "000000000000"
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	config.Endpoint = strings.TrimRight(config.Endpoint, "/")
	s := &Service{config: config, log: config.Logger, queues: map[string]*queue{}, inFlightLimit: maxInFlight}
	if err := s.addQueues(); err != nil {
		return nil, fmt.Errorf("starting the local SQS: %w", err)
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("starting the local SQS: %w", err)
	}
	s.closing, s.close = context.WithCancel(context.Background())
	return s, nil
}

// Close answers waiting receives, cancels the invocations of all mappings and waits for them, and closes the file. A batch whose
// invocation is cut off comes back after its visibility timeout.
func (s *Service) Close() error {
	var err error
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.close()
		s.mappings.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		err = s.database.Close()
	})
	return err
}

// Counts are the numbers of messages in a queue.
type Counts struct {
	// Visible messages wait to be received, InFlight ones have been received and not deleted, Delayed ones were sent with a delay.
	Visible, InFlight, Delayed int
}

// Counts tells how many messages a queue holds. The error names a queue that does not exist.
func (s *Service) Counts(name string) (Counts, error) {
	q, err := s.queue(name)
	if err != nil {
		return Counts{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.counts(time.Now()), nil
}
