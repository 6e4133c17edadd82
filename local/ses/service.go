// Package ses is a local Amazon SES: the operations of API v2 that Fanmail calls, with SES's checks, quotas and error answers, and
// a mailbox that keeps what was accepted instead of delivering it. It is a development runtime: no mail leaves the machine.
//
// Routes:
//
//	POST /v2/email/outbound-emails   SendEmail
//	GET  /v2/email/account           GetAccount
//	GET  /v2/email/identities/<identity>                           GetEmailIdentity
//	GET  /v2/email/configuration-sets/<set>                        GetConfigurationSet
//	GET  /v2/email/configuration-sets/<set>/event-destinations     GetConfigurationSetEventDestinations
//	GET  /_mailbox                   a count
//	GET  /_mailbox.jsonl             one JSON object per accepted message, in order of acceptance
//	GET  /_mailbox/<messageId>       a whole message
//	GET, POST /_ses/settings         what may be changed while it runs
//	POST /_ses/events                publishes an event of a message: {"messageId": ..., "eventType": "Open"}
package ses

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config is the configuration of a Service. Only Directory is required.
type Config struct {
	// Directory holds the mailbox. It is created if missing; a mailbox already there is continued.
	Directory string
	// MaxSendRate is the account's limit in recipients per second; 0 means 14.
	MaxSendRate float64
	// Max24HourSend is the account's limit in recipients per rolling 24 hours; -1 means no limit, 0 means 50,000.
	Max24HourSend float64
	// Latency is the time from the acceptance (or refusal) of a message to the answer.
	Latency time.Duration
	// VerifiedIdentities are the first Settings.Identities: the addresses and domains that may stand in From. Empty means that all may.
	VerifiedIdentities []string
	// Region stands in error messages; the default is us-east-1.
	Region string
	// Account is the twelve digits of the account in events; the default is 000000000000.
	Account string
	// Fault, if set, is asked about every well-formed SendEmail before it is accepted. It must be safe for concurrent use.
	// SetFault replaces it.
	Fault func(*Request) Fault
	// Publish, if set, gets the events of the messages that were sent with a configuration set, in the order of acceptance.
	// It returns nil when the target has all of them for good; after an error the same events are published again, later.
	// It is not called concurrently, but for the events of POST /_ses/events.
	Publish func([]Published) error
	// DeliveryDelay is the time from a Send event to the Delivery or Bounce of the message; 0 means 30 ms, less than 0 none.
	DeliveryDelay time.Duration
	// EventFault, if set, is asked about every event: the copies that are published, as delays added to the event's own. An
	// empty answer loses the event, two elements double it. Its answer should depend on the event alone: one that is
	// published again after a restart is asked about again. It must be safe for concurrent use.
	EventFault func(EventInfo) []time.Duration
	// Logger gets one line per problem of the service itself; the default discards them.
	Logger *slog.Logger
	// Clock tells the time for quotas, the mailbox and events; the default is time.Now. It may jump forward by days, never back.
	Clock func() time.Time
}

// withDefaults fills what the caller left out.
func (c Config) withDefaults() Config {
	if c.MaxSendRate == 0 {
		c.MaxSendRate = 14
	}
	if c.Max24HourSend == 0 {
		c.Max24HourSend = 50_000
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Account == "" {
		c.Account = "000000000000"
	}
	if c.DeliveryDelay == 0 {
		c.DeliveryDelay = 30 * time.Millisecond
	}
	c.DeliveryDelay = max(0, c.DeliveryDelay)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Service is a local SES account. It is an http.Handler and safe for concurrent use.
type Service struct {
	config    Config
	mux       *http.ServeMux
	mailbox   *mailbox
	publisher *publisher
	fault     atomic.Pointer[func(*Request) Fault]
	closed    chan struct{}
	once      sync.Once

	// mu guards what follows, and makes the order of acceptance the order of the mailbox.
	mu       sync.Mutex
	settings Settings
	rate     rate
	day      day
}

// New opens the mailbox in c.Directory and starts the service.
func New(c Config) (*Service, error) {
	c = c.withDefaults()
	if c.Directory == "" {
		return nil, errors.New("starting the local SES: no directory for the mailbox is given")
	}
	s := &Service{
		config: c,
		mux:    http.NewServeMux(),
		closed: make(chan struct{}),
		settings: Settings{
			MaxSendRate:         c.MaxSendRate,
			Max24HourSend:       c.Max24HourSend,
			SendingEnabled:      true,
			LatencyMilliseconds: float64(c.Latency) / float64(time.Millisecond),

			ProductionAccessEnabled: true,
			EnforcementStatus:       healthy,
		},
	}
	for _, name := range c.VerifiedIdentities {
		s.settings.Identities = append(s.settings.Identities, Identity{Name: name, Verified: true})
	}
	if err := s.settings.validate(); err != nil {
		return nil, fmt.Errorf("starting the local SES: %w", err)
	}
	s.rate = newRate(c.MaxSendRate, c.Clock())
	box, err := openMailbox(c.Directory, func(e *Entry) { s.day.add(e.Time, e.quotaRecipients()) })
	if err != nil {
		return nil, fmt.Errorf("starting the local SES: %w", err)
	}
	s.mailbox = box
	s.SetFault(c.Fault)
	if c.Publish != nil {
		if s.publisher, err = startPublisher(s); err != nil {
			return nil, errors.Join(fmt.Errorf("starting the local SES: %w", err), box.close())
		}
	}

	s.mux.HandleFunc("POST /v2/email/outbound-emails", s.sendEmail)
	s.mux.HandleFunc("GET /v2/email/account", s.getAccount)
	s.mux.HandleFunc("GET /v2/email/identities/{identity}", s.getIdentity)
	s.mux.HandleFunc("GET /v2/email/configuration-sets/{set}", s.getConfigurationSet)
	s.mux.HandleFunc("GET /v2/email/configuration-sets/{set}/event-destinations", s.getDestinations)
	s.mux.HandleFunc("/v2/", s.unknownOperation)
	s.mux.HandleFunc("GET /_mailbox", s.getMailbox)
	s.mux.HandleFunc("GET /_mailbox.jsonl", s.getMailboxLines)
	s.mux.HandleFunc("GET /_mailbox/{messageId}", s.getMessage)
	s.mux.HandleFunc("GET /_ses/settings", s.getSettings)
	s.mux.HandleFunc("POST /_ses/settings", s.postSettings)
	s.mux.HandleFunc("POST /_ses/events", s.postEvent)
	return s, nil
}

// ServeHTTP answers the routes of the package comment.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close answers waiting calls at once, waits for the Publish that runs, if any, and closes the mailbox. Calls that come
// later are answered with ErrUnavailable. Events that are not published yet are when the mailbox is opened again.
func (s *Service) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closed)
		s.publisher.stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		err = s.mailbox.close()
	})
	return err
}

func (s *Service) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// wait pauses for d, or until the service is closed. It goes on when the caller has hung up: SES does too.
func (s *Service) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closed:
	}
}
