package ses

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"
)

// Settings are the properties of the account that may change while it runs.
type Settings struct {
	// MaxSendRate is in recipients per second, above 0.
	MaxSendRate float64 `json:"maxSendRate"`
	// Max24HourSend is in recipients; -1 means no limit.
	Max24HourSend float64 `json:"max24HourSend"`
	// SendingEnabled is false while SES has paused the account.
	SendingEnabled bool `json:"sendingEnabled"`
	// LatencyMilliseconds is the time to the answer of a SendEmail.
	LatencyMilliseconds float64 `json:"latencyMilliseconds"`
	// ProductionAccessEnabled is false while the account is in SES's sandbox.
	ProductionAccessEnabled bool `json:"productionAccessEnabled"`
	// EnforcementStatus is HEALTHY, PROBATION or SHUTDOWN.
	EnforcementStatus string `json:"enforcementStatus"`
	// Identities are those of the account; while there are none, every domain is one, and verified.
	Identities []Identity `json:"identities"`
	// ConfigurationSets are those of the account; while there are none, every name is one, and publishes all events.
	ConfigurationSets []ConfigurationSet `json:"configurationSets"`
}

// healthy is the EnforcementStatus of an account that SES finds no fault with.
const healthy = "HEALTHY"

var enforcements = []string{healthy, "PROBATION", "SHUTDOWN"}

func (s Settings) validate() error {
	bad := func(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }
	switch {
	case bad(s.MaxSendRate) || s.MaxSendRate <= 0:
		return fmt.Errorf("maxSendRate is %v: it must be above 0 (recipients per second)", s.MaxSendRate)
	case bad(s.Max24HourSend) || (s.Max24HourSend < 0 && s.Max24HourSend != -1):
		return fmt.Errorf("max24HourSend is %v: it must be -1 (no limit), 0 or more recipients", s.Max24HourSend)
	case bad(s.LatencyMilliseconds) || s.LatencyMilliseconds < 0:
		return fmt.Errorf("latencyMilliseconds is %v: it must be 0 or more", s.LatencyMilliseconds)
	case !slices.Contains(enforcements, s.EnforcementStatus):
		return fmt.Errorf("enforcementStatus is %q: it must be one of %q", s.EnforcementStatus, enforcements)
	}
	for _, set := range s.ConfigurationSets {
		if err := set.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (s Settings) latency() time.Duration {
	return time.Duration(s.LatencyMilliseconds * float64(time.Millisecond))
}

// Settings are the current ones.
func (s *Service) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Change lets f change the settings; an error of f or an invalid result changes nothing.
func (s *Service) Change(f func(*Settings) error) (Settings, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.settings
	if err := f(&changed); err != nil {
		return s.settings, err
	}
	if err := changed.validate(); err != nil {
		return s.settings, err
	}
	if changed.MaxSendRate != s.settings.MaxSendRate {
		s.rate.set(changed.MaxSendRate, s.config.Clock())
	}
	s.settings = changed
	return changed, nil
}

func (s *Service) getSettings(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, s.Settings())
}

// postSettings changes the settings that the body names and leaves the others.
func (s *Service) postSettings(w http.ResponseWriter, r *http.Request) {
	var raw json.RawMessage
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&raw); err != nil {
		s.answerError(w, badRequest("reading the settings: %v", err))
		return
	}
	changed, err := s.Change(func(settings *Settings) error {
		// A list is replaced as a whole: the decoder would write into the one that others read.
		identities, sets := settings.Identities, settings.ConfigurationSets
		settings.Identities, settings.ConfigurationSets = nil, nil
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(settings)
		if settings.Identities == nil {
			settings.Identities = identities
		}
		if settings.ConfigurationSets == nil {
			settings.ConfigurationSets = sets
		}
		return err
	})
	if err != nil {
		s.answerError(w, badRequest("changing the settings: %v", err))
		return
	}
	s.answer(w, http.StatusOK, changed)
}
