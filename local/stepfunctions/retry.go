package stepfunctions

import (
	"math"
	"slices"
	"strings"
	"time"
)

// retrier is one entry of Retry.
type retrier struct {
	errors   []string
	interval time.Duration
	backoff  float64
	attempts int64
	maxDelay time.Duration
	jitter   bool
}

// catcher is one entry of Catch.
type catcher struct {
	errors     []string
	resultPath *refPath
	next       string
}

// delay is the time before retry number n, counted from 0; random is in [0, 1) and matters with JitterStrategy FULL.
func (r retrier) delay(n int, random float64) time.Duration {
	seconds := r.interval.Seconds() * math.Pow(r.backoff, float64(n))
	limit := r.maxDelay
	if limit == 0 {
		limit = maxDelaySeconds * time.Second
	}
	seconds = math.Min(seconds, limit.Seconds())
	if r.jitter {
		seconds *= random
	}
	return time.Duration(seconds * float64(time.Second))
}

// matches tells whether ErrorEquals covers an error. States.Runtime always fails the execution; States.ALL covers all but
// that and States.DataLimitExceeded; States.TaskFailed covers all of a Task but these and timeouts.
func matches(names []string, err, stateKind string) bool {
	if err == errRuntime {
		return false
	}
	for _, name := range names {
		switch name {
		case err:
			return true
		case errAll:
			return err != errDataLimitExceeded
		case errTaskFailed:
			if stateKind == "Task" && err != errTimeout && err != errHeartbeatTimeout && err != errDataLimitExceeded {
				return true
			}
		}
	}
	return false
}

// errorHandling takes Retry and Catch.
func (p *parser) errorHandling(f *fields, st *state) {
	for i, entry := range p.entries(f, "Retry") {
		r := p.object(joinIndex(join(f.at, "Retry"), i), "a Retry entry", entry)
		r.take("Comment")
		st.retriers = append(st.retriers, p.retrier(r))
		r.done()
	}
	for i, entry := range p.entries(f, "Catch") {
		c := p.object(joinIndex(join(f.at, "Catch"), i), "a Catch entry", entry)
		c.take("Comment")
		st.catchers = append(st.catchers, catcher{p.errorEquals(c), c.resultPath(), c.required("Next")})
		c.done()
	}
	for i, r := range st.retriers {
		if slices.Contains(r.errors, errAll) && i != len(st.retriers)-1 {
			p.refuse(joinIndex(join(f.at, "Retry"), i), "States.ALL must stand in the last entry")
		}
	}
	for i, c := range st.catchers {
		if slices.Contains(c.errors, errAll) && i != len(st.catchers)-1 {
			p.refuse(joinIndex(join(f.at, "Catch"), i), "States.ALL must stand in the last entry")
		}
	}
}

func (p *parser) entries(f *fields, key string) []any {
	value, ok := f.take(key)
	entries, isArray := value.([]any)
	if ok && !isArray {
		p.refuse(join(f.at, key), "must be an array")
	}
	return entries
}

func (p *parser) retrier(f *fields) retrier {
	r := retrier{
		errors:   p.errorEquals(f),
		interval: time.Duration(f.whole("IntervalSeconds", 1, maxWaitSeconds, 1)) * time.Second,
		attempts: f.whole("MaxAttempts", 0, maxWaitSeconds, 3),
		maxDelay: time.Duration(f.whole("MaxDelaySeconds", 1, maxDelaySeconds, 0)) * time.Second,
		backoff:  2,
	}
	if value, ok := f.take("BackoffRate"); ok {
		rate, isNumber := number(value)
		if !isNumber || rate < 1 {
			p.refuse(join(f.at, "BackoffRate"), "must be a number of at least 1")
		}
		r.backoff = rate
	}
	if r.maxDelay != 0 && r.maxDelay < r.interval {
		p.refuse(join(f.at, "MaxDelaySeconds"), "must not be less than IntervalSeconds")
	}
	switch strategy, _ := f.text("JitterStrategy"); strategy {
	case "FULL":
		r.jitter = true
	case "", "NONE":
	default:
		p.refuse(join(f.at, "JitterStrategy"), "jitter strategy %s is not supported; FULL and NONE are", strategy)
	}
	return r
}

func (p *parser) errorEquals(f *fields) []string {
	at := join(f.at, "ErrorEquals")
	value, _ := f.take("ErrorEquals")
	entries, _ := value.([]any)
	if len(entries) == 0 {
		p.refuse(at, "must be an array of at least one error name")
	}
	var names []string
	for i, entry := range entries {
		name, ok := entry.(string)
		switch {
		case !ok || name == "":
			p.refuse(joinIndex(at, i), "must be an error name")
		case strings.HasPrefix(name, reserved) && !reservedErrors[name]:
			p.refuse(joinIndex(at, i), "error name %s is not one of Step Functions' own", name)
		case name == errAll && len(entries) != 1:
			p.refuse(joinIndex(at, i), "States.ALL must stand alone")
		}
		names = append(names, name)
	}
	return names
}
