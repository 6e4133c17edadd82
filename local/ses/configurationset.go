package ses

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// ConfigurationSet is a configuration set with its destinations of events.
type ConfigurationSet struct {
	Name           string             `json:"name"`
	SendingEnabled bool               `json:"sendingEnabled"`
	Destinations   []EventDestination `json:"destinations"`
}

// EventDestination is where a configuration set publishes events.
type EventDestination struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	// Types are as in the API: SEND, RENDERING_FAILURE ...
	Types []string `json:"types"`
	// Topic is the ARN of an SNS topic. What goes to another than that of the service arrives nowhere.
	Topic string `json:"topic"`
}

// apiTypes are the types of events as the API calls them, by how the events do.
var apiTypes = map[string]string{
	"Send": "SEND", "Delivery": "DELIVERY", "Bounce": "BOUNCE", "Complaint": "COMPLAINT", "Reject": "REJECT", "Open": "OPEN", "Click": "CLICK",
	"Rendering Failure": "RENDERING_FAILURE", "DeliveryDelay": "DELIVERY_DELAY", "Subscription": "SUBSCRIPTION",
}

// topic is the SNS topic that passes events on to Config.Publish.
func (s *Service) topic() string {
	return fmt.Sprintf("arn:aws:sns:%s:%s:fanmail-local-events", s.config.Region, s.config.Account)
}

// configurationSet finds a configuration set. While the settings list none, every name is one that publishes
// everything.
func (s *Service) configurationSet(settings Settings, name string) (ConfigurationSet, bool) {
	for _, set := range settings.ConfigurationSets {
		if set.Name == name {
			return set, true
		}
	}
	all := EventDestination{Name: "ledger", Enabled: true, Types: slices.Sorted(maps.Values(apiTypes)),
		Topic: s.topic()}
	return ConfigurationSet{Name: name, SendingEnabled: true,
		Destinations: []EventDestination{all}}, len(settings.ConfigurationSets) == 0
}

// publishes tells whether the events of a type, as events call it, get from a configuration set to Config.Publish.
func (s *Service) publishes(name, eventType string) bool {
	settings := s.Settings()
	if len(settings.ConfigurationSets) == 0 {
		return true
	}
	set, ok := s.configurationSet(settings, name)
	return ok && slices.ContainsFunc(set.Destinations, func(d EventDestination) bool {
		return d.Enabled && d.Topic == s.topic() && slices.Contains(d.Types, apiTypes[eventType])
	})
}

// checkConfigurationSet holds the set of a message against those that there are.
func (s *Service) checkConfigurationSet(settings Settings, name string) *Error {
	if name == "" || len(settings.ConfigurationSets) == 0 {
		return nil
	}
	set, ok := s.configurationSet(settings, name)
	switch {
	case !ok:
		return noConfigurationSet(name)
	case !set.SendingEnabled:
		return &Error{http.StatusBadRequest, "SendingPausedException", "Sending paused for this configuration set."}
	}
	return nil
}

func noConfigurationSet(name string) *Error {
	return notFound("Configuration set <%s> does not exist.", name)
}

// getConfigurationSet is GetConfigurationSet.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetConfigurationSet.html
func (s *Service) getConfigurationSet(w http.ResponseWriter, r *http.Request) {
	set, ok := s.configurationSet(s.Settings(), r.PathValue("set"))
	if !ok {
		s.answerError(w, noConfigurationSet(r.PathValue("set")))
		return
	}
	s.answer(w, http.StatusOK, map[string]any{
		"ConfigurationSetName": set.Name, "SendingOptions": map[string]bool{"SendingEnabled": set.SendingEnabled},
	})
}

// getDestinations is GetConfigurationSetEventDestinations.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetConfigurationSetEventDestinations.html
func (s *Service) getDestinations(w http.ResponseWriter, r *http.Request) {
	set, ok := s.configurationSet(s.Settings(), r.PathValue("set"))
	if !ok {
		s.answerError(w, noConfigurationSet(r.PathValue("set")))
		return
	}
	list := []map[string]any{}
	for _, d := range set.Destinations {
		list = append(list, map[string]any{
			"Name": d.Name, "Enabled": d.Enabled, "MatchingEventTypes": d.Types, "SnsDestination": map[string]string{"TopicArn": d.Topic},
		})
	}
	s.answer(w, http.StatusOK, map[string]any{"EventDestinations": list})
}

// validate refuses what no configuration set can be.
func (c ConfigurationSet) validate() error {
	for _, d := range c.Destinations {
		for _, kind := range d.Types {
			if !slices.Contains(slices.Collect(maps.Values(apiTypes)), kind) {
				return fmt.Errorf("configurationSets: %s: %s publishes %q: the types are %s",
					c.Name, d.Name, kind, strings.Join(slices.Sorted(maps.Values(apiTypes)), ", "))
			}
		}
	}
	return nil
}
