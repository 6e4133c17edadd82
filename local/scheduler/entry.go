package scheduler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"fanmail/shared/schedule"
)

// entry is a schedule with what has become of it.
type entry struct {
	Name       string
	Created    time.Time
	Definition definition
	// Handled is the last moment for which there is, or was, an invocation.
	Handled time.Time
	// Trying are the invocations that have not come through yet.
	Trying     []*invocation
	expression schedule.Expression
}

// invocation is one delivery to the target.
type invocation struct {
	ID string
	// Due is the moment of the schedule, Since the one from which its age counts, and NotBefore when it is tried next.
	Due, Since, NotBefore time.Time
	Attempts              int
}

// definition is the body of CreateSchedule, as far as it is known here.
type definition struct {
	ActionAfterCompletion      string            `json:",omitempty"`
	ClientToken                string            `json:",omitempty"`
	Description                string            `json:",omitempty"`
	EndDate                    *float64          `json:",omitempty"`
	FlexibleTimeWindow         map[string]string `json:",omitempty"`
	GroupName                  string            `json:",omitempty"`
	ScheduleExpression         string            `json:",omitempty"`
	ScheduleExpressionTimezone string            `json:",omitempty"`
	StartDate                  *float64          `json:",omitempty"`
	State                      string            `json:",omitempty"`
	Target                     target
}

type target struct {
	Arn, RoleArn, Input string
	DeadLetterConfig    *deadLetterConfig `json:",omitempty"`
	RetryPolicy         *retryPolicy      `json:",omitempty"`
}

type deadLetterConfig struct{ Arn string }

type retryPolicy struct {
	MaximumEventAgeInSeconds int `json:",omitempty"`
	MaximumRetryAttempts     *int
}

// The bounds and defaults of Scheduler.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
const (
	universalTarget    = "arn:aws:scheduler:::aws-sdk:sfn:startExecution"
	leastAge, mostAge  = 60, 86400
	mostRetries        = 185
	maxDescription     = 512
	enabled            = "ENABLED"
	deleteOnCompletion = "DELETE"
)

var (
	goodName  = regexp.MustCompile(`^[0-9a-zA-Z._-]{1,64}$`)
	roleARN   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)
	queueARN  = regexp.MustCompile(`^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:([a-zA-Z0-9_-]+)$`)
	attribute = regexp.MustCompile(`<aws\.[^>]*>`)
)

// check completes a definition with the defaults, and refuses what Scheduler refuses and what is not known here.
func (d *definition) check() error {
	if d.ScheduleExpressionTimezone == "" {
		d.ScheduleExpressionTimezone = "UTC"
	}
	if d.State == "" {
		d.State = enabled
	}
	if d.ActionAfterCompletion == "" {
		d.ActionAfterCompletion = "NONE"
	}
	if d.Target.RetryPolicy == nil {
		d.Target.RetryPolicy = &retryPolicy{}
	}
	retry := d.Target.RetryPolicy
	if retry.MaximumEventAgeInSeconds == 0 {
		retry.MaximumEventAgeInSeconds = mostAge
	}
	if retry.MaximumRetryAttempts == nil {
		most := mostRetries
		retry.MaximumRetryAttempts = &most
	}
	switch {
	case d.State != enabled:
		return invalid("the local Scheduler has no State %s, only ENABLED", d.State)
	case d.FlexibleTimeWindow["Mode"] != "OFF" || len(d.FlexibleTimeWindow) != 1:
		return invalid("the local Scheduler has only the FlexibleTimeWindow with Mode OFF")
	case d.ActionAfterCompletion != "NONE" && d.ActionAfterCompletion != deleteOnCompletion:
		return constraint("actionAfterCompletion", "Member must satisfy enum value set: [NONE, DELETE]",
			d.ActionAfterCompletion)
	case len(d.Description) > maxDescription:
		return constraint("description", "Member must have length less than or equal to 512", d.Description)
	case d.Target.Arn != universalTarget:
		return invalid("the local Scheduler has only the target %s, not %s", universalTarget, d.Target.Arn)
	case !roleARN.MatchString(d.Target.RoleArn):
		return constraint("target.roleArn", "it is no ARN of a role", d.Target.RoleArn)
	case d.Target.DeadLetterConfig != nil && !queueARN.MatchString(d.Target.DeadLetterConfig.Arn):
		return constraint("target.deadLetterConfig.arn", "it is no ARN of a standard queue",
			d.Target.DeadLetterConfig.Arn)
	case retry.MaximumEventAgeInSeconds < leastAge || retry.MaximumEventAgeInSeconds > mostAge:
		return constraint("target.retryPolicy.maximumEventAgeInSeconds", "it must be 60 to 86400",
			retry.MaximumEventAgeInSeconds)
	case *retry.MaximumRetryAttempts < 0 || *retry.MaximumRetryAttempts > mostRetries:
		return constraint("target.retryPolicy.maximumRetryAttempts", "it must be 0 to 185", *retry.MaximumRetryAttempts)
	}
	if _, err := (invocation{}).input("arn", d.Target.Input); err != nil {
		return invalid("Invalid RequestJson provided. Reason: %v", err)
	}
	return nil
}

// expression reads the expression in its zone.
func (d *definition) expression() (schedule.Expression, error) {
	zone, err := schedule.Zone(d.ScheduleExpressionTimezone)
	if err != nil {
		return schedule.Expression{}, invalid("Invalid Time Zone %s.", d.ScheduleExpressionTimezone)
	}
	e, err := schedule.Parse(d.ScheduleExpression, zone)
	if err != nil {
		reason := strings.ReplaceAll(err.Error(), "\n", "; ")
		return e, invalid("Invalid Schedule Expression %s. (%s)", d.ScheduleExpression, reason)
	}
	return e, nil
}

func (d *definition) age() time.Duration {
	return time.Duration(d.Target.RetryPolicy.MaximumEventAgeInSeconds) * time.Second
}

// begin is the first moment that counts.
func (e *entry) begin() time.Time {
	if e.Definition.StartDate != nil && !e.expression.OneTime() {
		return fromEpoch(*e.Definition.StartDate)
	}
	return e.Created
}

// next is the first moment that has no invocation yet; false when there is none.
func (e *entry) next() (time.Time, bool) {
	after := e.Handled
	if after.IsZero() && !e.expression.OneTime() {
		after = e.begin().Add(-time.Nanosecond)
	}
	at, ok := e.expression.Next(after, e.begin())
	if ok && e.Definition.EndDate != nil && !e.expression.OneTime() && at.After(fromEpoch(*e.Definition.EndDate)) {
		return time.Time{}, false
	}
	return at, ok
}

// executionRequest is the input of the target: the parameters of StartExecution.
type executionRequest struct {
	StateMachineArn string
	Name, Input     *string
}

// input puts the context attributes into a target's input.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
func (i invocation) input(schedule, text string) (in executionRequest, err error) {
	text = i.fill(schedule, text)
	if unknown := attribute.FindString(text); unknown != "" {
		return in, fmt.Errorf("there is no context attribute %s", unknown)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return in, fmt.Errorf("the input of the target is no StartExecution: %w", err)
	}
	if in.StateMachineArn == "" {
		return in, fmt.Errorf("the input of the target has no StateMachineArn")
	}
	return in, nil
}

func (i invocation) fill(schedule, text string) string {
	return strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", schedule,
		"<aws.scheduler.scheduled-time>", i.Due.UTC().Format(time.RFC3339),
		"<aws.scheduler.execution-id>", i.ID,
		"<aws.scheduler.attempt-number>", fmt.Sprint(i.Attempts+1),
	).Replace(text)
}

func fromEpoch(seconds float64) time.Time {
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC()
}
