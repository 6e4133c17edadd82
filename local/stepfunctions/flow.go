package stepfunctions

import (
	"context"
	"strings"
	"time"

	"fanmail/local/clock"
)

// decide gives the next state: that of the first rule that holds, or Default.
func (c *choiceState) decide(s *scope) (string, *failure) {
	for _, rule := range c.rules {
		yes, f := rule.when(s)
		if f != nil {
			return "", f
		}
		if yes {
			return rule.next, nil
		}
	}
	if c.fallback == "" {
		return "", failf(errNoChoiceMatched, "Failed to transition out of the state. The state does not point to a next state.")
	}
	return c.fallback, nil
}

// run waits, until a time on the clock that may be past.
func (w *waitState) run(ctx context.Context, clock *clock.Clock, s *scope) *failure {
	until := w.timestamp
	switch {
	case w.seconds != nil:
		seconds, f := w.seconds.of(s)
		if f != nil {
			return f
		}
		until = clock.Now().Add(time.Duration(seconds) * time.Second)
	case w.path != nil:
		value, ok := w.path.get(s)
		at, isTime := timestamp(value)
		if !ok || !isTime {
			return failf(errRuntime, "The TimestampPath parameter '%s' does not reference a valid ISO-8601 extended offset date-time format string: %s",
				w.path.text, encode(value))
		}
		until = at
	}
	if clock.WaitUntil(ctx, until) != nil {
		return aborted
	}
	return nil
}

// raise is the failure that a Fail state ends the execution with.
func (st *failState) raise(s *scope) *failure {
	out := &failure{name: st.name, cause: st.cause}
	for _, part := range []struct {
		expr expression
		to   *string
		name string
	}{{st.namePath, &out.name, "ErrorPath"}, {st.causePath, &out.cause, "CausePath"}} {
		if part.expr == nil {
			continue
		}
		value, f := part.expr.eval(s)
		if f != nil {
			return f
		}
		text, ok := value.(string)
		if !ok {
			return failf(errRuntime, "The %s must give a string, but it is %s", part.name, encode(value))
		}
		*part.to = text
	}
	if strings.HasPrefix(out.name, reserved) {
		// Whether AWS takes such a name is not documented, and other emulators refuse it.
		return failf(errRuntime,
			"The ErrorPath gives %s: a Fail state with a name of Step Functions' own is not supported", out.name)
	}
	return out
}
