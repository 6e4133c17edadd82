package faults

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Settings say what goes wrong; the zero value is nothing. All shares are 0 (never) to 1 (always).
type Settings struct {
	// Seed makes two runs different. With the same seed the same messages and events have the same faults, whatever the
	// scheduling: each is decided by a hash of the seed, the kind of fault, and what it is about.
	Seed     int64    `json:"seed"`
	SES      SES      `json:"ses"`
	Send     Send     `json:"send"`
	Database Database `json:"database"`
	Events   Events   `json:"events"`
	Schedule Schedule `json:"schedule"`
}

// SES says what goes wrong with calls of SendEmail. A call is decided by its campaign, its recipient, and how many calls that
// recipient has had. Of several faults that a call would have, it has the first in this order: drop, throttle, internalError,
// loseAnswer.
type SES struct {
	// Drop is the share of calls whose connection is closed before anything is accepted.
	Drop float64 `json:"drop"`
	// Throttle is the share that is refused because of the account's rate, though there is none left to keep.
	Throttle float64 `json:"throttle"`
	// InternalError is the share that is refused with status 500.
	InternalError float64 `json:"internalError"`
	// LoseAnswer is the share that is accepted, and whose connection is closed without an answer.
	LoseAnswer float64 `json:"loseAnswer"`
	// Delay is the share that is answered DelayMilliseconds late, beside whatever else happens to it.
	Delay             float64 `json:"delay"`
	DelayMilliseconds float64 `json:"delayMilliseconds"`
}

// Send says what happens to environments of the function send.
type Send struct {
	// KillEveryMilliseconds is the mean time between two SIGKILLs, each of a random environment that runs or starts; 0 is never.
	KillEveryMilliseconds float64 `json:"killEveryMilliseconds"`
	// TimeOutEveryMilliseconds is the mean time until a random invocation ends as if its timeout had passed; 0 is never.
	TimeOutEveryMilliseconds float64 `json:"timeOutEveryMilliseconds"`
	// KillAt is a point at which senders are killed; "" is none.
	KillAt Point `json:"killAt"`
	// KillAtShare is the share of recipients at whose message that happens, each once. At "claim" it is the share of claims, decided
	// by their order.
	KillAtShare float64 `json:"killAtShare"`
}

// Point is a named point in the work of a sender.
type Point string

const (
	// AtClaim is between the claim and the first call of SES: SES has got nothing of the claim.
	AtClaim Point = "claim"
	// AtAnswer is between SES's answer and its record: the answer has been written, and the sender has not read it.
	AtAnswer Point = "answer"
	// AtRecord is during the record: PostgreSQL works on the statement, and finishes it or not.
	AtRecord Point = "record"
)

// Database says what happens to sessions on PostgreSQL.
type Database struct {
	// TerminateEveryMilliseconds is the mean time between two terminations of a random session of the functions; 0 is never.
	TerminateEveryMilliseconds float64 `json:"terminateEveryMilliseconds"`
}

// Events says what becomes of SES's events on their way to the function events. An event is decided by its campaign, its
// recipient and its type.
type Events struct {
	// Lose is the share that never arrives: 1 is a configuration set without a destination.
	Lose float64 `json:"lose"`
	// Double is the share that is published twice.
	Double float64 `json:"double"`
	// DelayMilliseconds is the most that an event is late, evenly spread, so that events overtake each other.
	DelayMilliseconds float64 `json:"delayMilliseconds"`
	// DeliverTwice is the share of messages that the queue delivers once more after they were deleted. It is decided by the
	// message's id, which is another in each run.
	DeliverTwice float64 `json:"deliverTwice"`
}

// Schedule says what happens to schedules.
type Schedule struct {
	// Double is the share of deliveries that Scheduler makes once more. It is decided by the schedule's name and the moment.
	Double float64 `json:"double"`
}

// The limits of periods and delays: what is more often would leave no time to run, what is later would outlast SQS's delays.
const (
	minPeriod = 10 * time.Millisecond
	maxPeriod = 24 * time.Hour
	maxDelay  = 10 * time.Minute
)

// Parse reads Settings from JSON. The error has a line for every problem.
func Parse(text []byte) (Settings, error) {
	var s Settings
	if unknown := unknownFields(text, reflect.TypeFor[Settings](), ""); len(unknown) > 0 {
		return s, errors.Join(unknown...)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&s); err != nil {
		return s, fmt.Errorf("the faults are not readable: %w (write for instance {\"ses\": {\"throttle\": 0.05}}; {} is none)", err)
	}
	if decoder.More() {
		return s, errors.New("the faults are not readable: more follows after the JSON object")
	}
	return s, s.Validate()
}

// Validate returns an error with a line for every value that makes no sense.
func (s Settings) Validate() error {
	var problems []error
	problem := func(field, format string, args ...any) {
		problems = append(problems, fmt.Errorf("the faults: %s is %s", field, fmt.Sprintf(format, args...)))
	}
	for _, share := range []struct {
		field string
		value float64
	}{
		{"ses.drop", s.SES.Drop}, {"ses.throttle", s.SES.Throttle}, {"ses.internalError", s.SES.InternalError},
		{"ses.loseAnswer", s.SES.LoseAnswer}, {"ses.delay", s.SES.Delay}, {"send.killAtShare", s.Send.KillAtShare},
		{"events.lose", s.Events.Lose}, {"events.double", s.Events.Double}, {"events.deliverTwice", s.Events.DeliverTwice},
		{"schedule.double", s.Schedule.Double},
	} {
		if !(share.value >= 0 && share.value <= 1) {
			problem(share.field, "%v: a share is 0 to 1", share.value)
		}
	}
	for _, period := range []struct {
		field string
		value float64
	}{
		{"send.killEveryMilliseconds", s.Send.KillEveryMilliseconds},
		{"send.timeOutEveryMilliseconds", s.Send.TimeOutEveryMilliseconds},
		{"database.terminateEveryMilliseconds", s.Database.TerminateEveryMilliseconds},
	} {
		if period.value != 0 && !(period.value >= ms(minPeriod) && period.value <= ms(maxPeriod)) {
			problem(period.field, "%v: it must be 0 for never, or %v to %v", period.value, ms(minPeriod), ms(maxPeriod))
		}
	}
	for _, delay := range []struct {
		field string
		value float64
	}{{"ses.delayMilliseconds", s.SES.DelayMilliseconds}, {"events.delayMilliseconds", s.Events.DelayMilliseconds}} {
		if !(delay.value >= 0 && delay.value <= ms(maxDelay)) {
			problem(delay.field, "%v: it must be 0 to %v", delay.value, ms(maxDelay))
		}
	}
	switch s.Send.KillAt {
	case "":
		if s.Send.KillAtShare > 0 {
			problem("send.killAt", "empty, but send.killAtShare is %v: name the point", s.Send.KillAtShare)
		}
	case AtClaim, AtAnswer, AtRecord:
		if s.Send.KillAtShare == 0 {
			problem("send.killAtShare", "0, but send.killAt is %q: say how many, up to 1", s.Send.KillAt)
		}
	default:
		problem("send.killAt", "%q: the points are %q, %q and %q", s.Send.KillAt, AtClaim, AtAnswer, AtRecord)
	}
	if s.SES.Delay > 0 && s.SES.DelayMilliseconds == 0 {
		problem("ses.delayMilliseconds", "0, but ses.delay is %v: say how long", s.SES.Delay)
	}
	return errors.Join(problems...)
}

// unknownFields has an error for each field of a JSON object that the type does not have. What is no object is left to the decoder.
func unknownFields(text []byte, of reflect.Type, at string) (unknown []error) {
	var object map[string]json.RawMessage
	if of.Kind() != reflect.Struct || json.Unmarshal(text, &object) != nil {
		return nil
	}
	known := map[string]reflect.Type{}
	for field := range of.Fields() {
		known[cmp.Or(field.Tag.Get("json"), field.Name)] = field.Type
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if field, ok := known[name]; ok {
			unknown = append(unknown, unknownFields(object[name], field, at+name+".")...)
		} else {
			unknown = append(unknown, fmt.Errorf("the faults: there is no %s%s, but %s", at, name, strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
	}
	return unknown
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func duration(milliseconds float64) time.Duration {
	return time.Duration(milliseconds * float64(time.Millisecond))
}
