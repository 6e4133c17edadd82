// Package faults makes the local runtime fail on demand: SES, senders, database sessions and events, so that what Fanmail
// promises can be tried. What happens to a message or an event is decided by a hash with a seed, so it can be repeated.
//
// No fault hangs the runtime: each that waits for something gives up, at the latest at Close.
package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5"

	"fanmail/local/lambda"
)

// Environments are the execution environments that can be troubled; *lambda.Service has them.
type Environments interface {
	Environments() []lambda.Environment
	Kill(accessKey string) bool
	TimeOut(accessKey string) bool
	Pause(accessKey string) bool
}

// Config says what there is to be troubled.
type Config struct {
	Lambda Environments
	// Sender is the name of the function that sends, and SenderSession the application_name of its database sessions.
	Sender, SenderSession string
	// Connect opens a database session that may see, end and block those of the functions.
	Connect func(context.Context) (*pgx.Conn, error)
	// Role is what the functions connect as.
	Role string
	// Logger is told of troubles with making trouble; nil discards.
	Logger *slog.Logger
}

// Service makes the faults. It is an http.Handler: GET answers {"faults": ..., "counts": ...}, POST takes Settings, which
// replace those that were, and answers the same; {} ends all faults.
type Service struct {
	config Config
	log    *slog.Logger
	counts counters

	// setting is held by one Set at a time, and mu for what follows.
	setting sync.Mutex
	mu      sync.RWMutex
	round   *round
	closed  bool
}

// New makes a service without faults.
func New(config Config) *Service {
	s := &Service{config: config, log: config.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.round = newRound(s, Settings{})
	return s
}

// Set replaces the faults and forgets which messages have had theirs. The counts go on. What the old faults still waited for is
// given up before it returns.
func (s *Service) Set(settings Settings) error {
	if err := settings.Validate(); err != nil {
		return err
	}
	s.setting.Lock()
	defer s.setting.Unlock()
	s.current().end()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		settings = Settings{}
	}
	s.round = newRound(s, settings)
	s.round.begin()
	return nil
}

// Close ends all faults and waits until nothing of them is left.
func (s *Service) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.Set(Settings{})
}

func (s *Service) current() *round {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.round
}

// Settings are the faults now.
func (s *Service) Settings() Settings { return s.current().settings }

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		var settings Settings
		if err == nil {
			settings, err = Parse(text)
		}
		if err == nil {
			err = s.Set(settings)
		}
		if err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
			return
		}
	default:
		w.Header().Set("Allow", "GET, POST")
		answer(w, http.StatusMethodNotAllowed, map[string]string{"message": fmt.Sprintf("%s %s: the faults know GET and POST", r.Method, r.URL.Path)})
		return
	}
	answer(w, http.StatusOK, map[string]any{"faults": s.Settings(), "counts": s.Counts()})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // fails only when the caller is gone
}
