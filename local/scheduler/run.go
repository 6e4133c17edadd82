package scheduler

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/uuid"
)

const (
	// mostAtOnce bounds the invocations of one schedule that a leap of the clock brings about.
	mostAtOnce = 100
	// firstRetry is the time until the second attempt; each further one takes twice as long, up to lastRetry.
	firstRetry, lastRetry = time.Second, 5 * time.Minute
	// patience is how long the target may take to answer.
	patience = 10 * time.Second
	// idle is the wait when nothing is to come.
	idle = 24 * time.Hour
)

// turn invokes what is due, and tells when there is more to do. The caller holds mu.
func (s *Service) turn(ctx context.Context) time.Time {
	now := s.config.Clock.Now()
	wait := now.Add(idle)
	earlier := func(at time.Time) {
		if at.Before(wait) {
			wait = at
		}
	}
	for _, e := range s.sorted() {
		s.fall(e, now)
		left := e.Trying[:0]
		for _, i := range e.Trying {
			if i.NotBefore.After(now) || !s.try(ctx, e, i, now) {
				left = append(left, i)
				earlier(i.NotBefore)
			}
		}
		changed := len(left) != len(e.Trying)
		e.Trying = left
		at, more := e.next()
		if more {
			earlier(at)
		}
		// A recurring schedule is complete only if it has an end.
		if !more && len(left) == 0 && e.Definition.ActionAfterCompletion == deleteOnCompletion && (e.expression.OneTime() || e.Definition.EndDate != nil) {
			delete(s.schedules, e.Name)
			changed = true
		}
		if changed && ctx.Err() == nil {
			s.note(s.keep())
		}
	}
	return wait
}

// fall makes the invocations for the moments that have passed, and keeps them before any is tried: after a kill it may
// be tried twice, but is not forgotten.
func (s *Service) fall(e *entry, now time.Time) {
	passed := 0
	for at, ok := e.next(); ok && !at.After(now); at, ok = e.next() {
		since := now
		if at.Before(s.began) {
			since = at
		}
		e.Handled = at
		e.Trying = append(e.Trying, &invocation{ID: uuid.NewString(), Due: at, Since: since, NotBefore: now})
		if passed++; len(e.Trying) > mostAtOnce {
			e.Trying = e.Trying[1:]
		}
	}
	if passed > mostAtOnce {
		s.log.Warn("the clock passed more moments of a schedule than are invoked at once",
			"schedule", e.Name, "passed", passed, "invoked", mostAtOnce)
	}
	if passed > 0 {
		s.note(s.keep())
	}
}

// try makes one attempt. It tells whether the invocation is over, well or not.
func (s *Service) try(ctx context.Context, e *entry, i *invocation, now time.Time) bool {
	if now.Sub(i.Since) > e.Definition.age() {
		s.bury(ctx, e, i, "MaximumEventAgeInSeconds",
			errors.New("EventTooOld: the event is older than its maximum age"))
		return true
	}
	err := s.deliver(ctx, e, i)
	if ctx.Err() != nil {
		return false
	}
	retries := *e.Definition.Target.RetryPolicy.MaximumRetryAttempts
	switch {
	case err == nil:
		s.log.Info("a schedule was delivered", "schedule", e.Name, "due", i.Due)
		if s.config.Twice != nil && s.config.Twice(e.Name, i.Due) {
			if err := s.deliver(ctx, e, i); err != nil {
				s.bury(ctx, e, i, "", err)
			}
		}
	case !retryable(err):
		s.bury(ctx, e, i, "", err)
	case i.Attempts >= retries:
		s.bury(ctx, e, i, "MaximumRetryAttempts", err)
	default:
		i.NotBefore = now.Add(min(firstRetry<<min(i.Attempts, 16), lastRetry))
		i.Attempts++
		s.log.Warn("a schedule could not be delivered; it is tried again",
			"schedule", e.Name, "due", i.Due, "attempts", i.Attempts, "error", err)
		return false
	}
	return true
}

func (s *Service) deliver(ctx context.Context, e *entry, i *invocation) error {
	in, err := i.input(s.arn(e.Name), e.Definition.Target.Input)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = s.config.Executions.StartExecution(ctx,
		&sfn.StartExecutionInput{StateMachineArn: &in.StateMachineArn, Name: in.Name, Input: in.Input})
	return err
}

// retryable tells whether an error of the target may pass: those of the service, of the network, and throttling.
func retryable(err error) bool {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	return !ok || answer.HTTPStatusCode() >= http.StatusInternalServerError || answer.HTTPStatusCode() == http.StatusTooManyRequests ||
		strings.Contains(err.Error(), "Throttling")
}

// note logs a failure to write the file: the schedules go on, and the next write has it all.
func (s *Service) note(err error) {
	if err != nil {
		s.log.Error("the schedules could not be kept", "file", s.config.File, "error", err)
	}
}
