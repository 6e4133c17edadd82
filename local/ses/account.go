package ses

import "net/http"

// Quota is the SendQuota of GetAccount, in recipients.
type Quota struct {
	Max24HourSend   float64
	MaxSendRate     float64
	SentLast24Hours float64
}

// Quota is the account's quota now.
func (s *Service) Quota() Quota {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Quota{
		Max24HourSend:   s.settings.Max24HourSend,
		MaxSendRate:     s.settings.MaxSendRate,
		SentLast24Hours: float64(s.day.sum(s.config.Clock())),
	}
}

func (s *Service) getAccount(w http.ResponseWriter, _ *http.Request) {
	quota := s.Quota()
	settings := s.Settings()
	s.answer(w, http.StatusOK, map[string]any{
		"DedicatedIpAutoWarmupEnabled": false,
		"EnforcementStatus":            settings.EnforcementStatus,
		"ProductionAccessEnabled":      settings.ProductionAccessEnabled,
		"SendingEnabled":               settings.SendingEnabled,
		"SendQuota":                    quota,
		"SuppressionAttributes":        map[string]any{"SuppressedReasons": []string{}},
	})
}
