package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/smithy-go/middleware"

	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

// Schedules are the schedules of the deployment.
type Schedules struct {
	*Cloud
	// group is their group, role the ARN of the role that starts campaigns, deadLetters the URL of the queue of
	// starts that failed.
	group, role, deadLetters, stateMachine, bucket string
}

// ScheduleParts are the parts of the deployment that schedules need.
var ScheduleParts = []deployment.Output{
	deployment.ScheduleGroup, deployment.ScheduleRole, deployment.ScheduleDeadLetterQueue, deployment.StateMachine, deployment.Bucket,
}

// Schedules opens the schedules of the deployment. Need has found ScheduleParts.
func (c *Cloud) Schedules(ctx context.Context) *Schedules {
	return &Schedules{
		Cloud: c, group: c.Output(ctx, deployment.ScheduleGroup), role: c.Output(ctx, deployment.ScheduleRole),
		deadLetters: c.Output(ctx, deployment.ScheduleDeadLetterQueue), stateMachine: c.Output(ctx,
			deployment.StateMachine),
		bucket: c.Output(ctx, deployment.Bucket),
	}
}

// Bucket is the name of the bucket that folders are frozen in.
func (s *Schedules) Bucket() string { return s.bucket }

// DeadLetterQueue is the URL of the queue of starts that failed.
func (s *Schedules) DeadLetterQueue() string { return s.deadLetters }

// Schedule is a schedule that starts a campaign.
type Schedule struct {
	Name string
	// Expression is at(), rate() or cron() in a time zone.
	Expression, Zone string
	// Begin is the first moment of a rate(), zero for none; Created is when the schedule was made.
	Begin, Created time.Time
	// Execution is the name of the execution that a one-time schedule starts, always the same, so that a second
	// delivery starts nothing.
	Execution string
	Input     workflow.ExecutionInput
	// MaxDelay is how late it may start.
	MaxDelay time.Duration
	Checked  Checked
	// Foreign says why it is not a schedule of `fanmail start`; empty if it is.
	Foreign string
}

// Checked is what the check of a folder found when it was scheduled. It is kept in the schedule's description.
type Checked struct {
	Recipients int64 `json:"recipients"`
	Rejected   int64 `json:"rejected"`
	// Digest is the SHA-256 of all files that were uploaded.
	Digest string    `json:"digest"`
	At     time.Time `json:"checked"`
}

const (
	universalTarget = "arn:aws:scheduler:::aws-sdk:sfn:startExecution"
	// ScheduledTime is what Scheduler replaces by the moment that a schedule is due.
	ScheduledTime = "<aws.scheduler.scheduled-time>"
)

// startExecution is the input of the universal target.
type startExecution struct {
	StateMachineArn string
	Name            string `json:",omitempty"`
	Input           string
}

// ErrNoSchedule is the answer where there is no such schedule.
var ErrNoSchedule = errors.New("no such schedule")

// AlreadyScheduled says that there is a schedule of a name.
func AlreadyScheduled(name string) error {
	return fmt.Errorf("%s is scheduled already: `fanmail schedule show %s` shows when, "+
		"`fanmail schedule cancel %s` takes it back", name, name, name)
}

// CreateSchedule makes a schedule. The client token, which makes a repeated request harmless, is the SDK's own.
func (s *Schedules) CreateSchedule(ctx context.Context, new Schedule) error {
	doing := "scheduling " + new.Name
	input, err := unescaped(new.Input)
	if err != nil {
		return err
	}
	start, err := unescaped(startExecution{s.stateMachine, new.Execution, input})
	if err != nil {
		return err
	}
	checked, err := unescaped(new.Checked)
	if err != nil {
		return err
	}
	queue, err := s.queueARN()
	if err != nil {
		return err
	}
	in := &scheduler.CreateScheduleInput{
		Name: &new.Name, GroupName: &s.group, Description: &checked,
		ScheduleExpression: &new.Expression, ScheduleExpressionTimezone: &new.Zone,
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		Target: &types.Target{
			Arn: aws.String(universalTarget), RoleArn: &s.role, Input: &start,
			RetryPolicy:      &types.RetryPolicy{MaximumEventAgeInSeconds: aws.Int32(int32(new.MaxDelay / time.Second))},
			DeadLetterConfig: &types.DeadLetterConfig{Arn: &queue},
		},
	}
	if !new.Begin.IsZero() {
		in.StartDate = &new.Begin
	}
	if new.Execution != "" {
		in.ActionAfterCompletion = types.ActionAfterCompletionDelete
	}
	_, err = s.scheduler.CreateSchedule(ctx, in)
	if _, taken := errors.AsType[*types.ConflictException](err); taken {
		return AlreadyScheduled(new.Name)
	}
	explained := s.explain(ctx, doing, err)
	if unsure(ctx, err) {
		return &MaybeScheduled{new.Name, explained}
	}
	return explained
}

// MaybeScheduled is the error where it is not known whether a schedule was made: the answer was lost.
type MaybeScheduled struct {
	Name string
	Err  error
}

func (m *MaybeScheduled) Error() string { return m.Err.Error() + ": " + m.Advice() }

// Advice says how to find out.
func (m *MaybeScheduled) Advice() string {
	return fmt.Sprintf("%s may be scheduled all the same: `fanmail schedule show %s` tells, `fanmail schedule cancel %s` takes it back",
		m.Name, m.Name, m.Name)
}

func (m *MaybeScheduled) Unwrap() error { return m.Err }

// GetSchedule reads a schedule, and tells the time on Scheduler's clock.
func (s *Schedules) GetSchedule(ctx context.Context, name string) (Schedule, time.Time, error) {
	doing := "reading the schedule " + name
	got, err := s.scheduler.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name, GroupName: &s.group})
	if _, unknown := errors.AsType[*types.ResourceNotFoundException](err); unknown {
		return Schedule{}, time.Time{}, fmt.Errorf("%s: %w", doing, ErrNoSchedule)
	}
	if err != nil {
		return Schedule{}, time.Time{}, s.explain(ctx, doing, err)
	}
	out := Schedule{
		Name: name, Expression: aws.ToString(got.ScheduleExpression), Zone: aws.ToString(got.ScheduleExpressionTimezone),
		Begin: aws.ToTime(got.StartDate), Created: aws.ToTime(got.CreationDate),
	}
	if got.Target != nil && got.Target.RetryPolicy != nil {
		out.MaxDelay = time.Duration(aws.ToInt32(got.Target.RetryPolicy.MaximumEventAgeInSeconds)) * time.Second
	}
	out.readTarget(got)
	return out, serverTime(got.ResultMetadata), nil
}

// readTarget reads what is ours in a schedule; one that was declared elsewhere may have another form.
func (s *Schedule) readTarget(got *scheduler.GetScheduleOutput) {
	var start startExecution
	switch {
	case got.Target == nil || aws.ToString(got.Target.Arn) != universalTarget:
		s.Foreign = "its target is not " + universalTarget
	case json.Unmarshal([]byte(aws.ToString(got.Target.Input)), &start) != nil,
		json.Unmarshal([]byte(start.Input), &s.Input) != nil, s.Input.Campaign == "":
		s.Foreign = "its target's input names no campaign"
	}
	s.Execution = start.Name
	_ = json.Unmarshal([]byte(aws.ToString(got.Description)),
		&s.Checked) // a description of somebody else's tells nothing
}

// ListSchedules reads all schedules by name, and tells the time on Scheduler's clock.
func (s *Schedules) ListSchedules(ctx context.Context) (all []Schedule, now time.Time, err error) {
	now, err = s.eachSchedule(ctx, nil, func(name string) error {
		one, _, err := s.GetSchedule(ctx, name)
		if errors.Is(err, ErrNoSchedule) {
			return nil // it fired, or was cancelled, meanwhile
		}
		all = append(all, one)
		return err
	})
	return all, now, err
}

// FindSchedule tells whether there is a schedule of a name, and the time on Scheduler's clock.
func (s *Schedules) FindSchedule(ctx context.Context, name string) (found bool, now time.Time, err error) {
	now, err = s.eachSchedule(ctx, &name, func(other string) error {
		found = found || other == name
		return nil
	})
	return found, now, err
}

func (s *Schedules) eachSchedule(ctx context.Context, prefix *string, do func(name string) error) (now time.Time, err error) {
	pages := scheduler.NewListSchedulesPaginator(s.scheduler,
		&scheduler.ListSchedulesInput{GroupName: &s.group, NamePrefix: prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return now, s.explain(ctx, "listing the schedules of "+s.group, err)
		}
		now = serverTime(page.ResultMetadata)
		for _, one := range page.Schedules {
			if err := do(aws.ToString(one.Name)); err != nil {
				return now, err
			}
		}
	}
	return now, nil
}

// DeleteSchedule takes a schedule back.
func (s *Schedules) DeleteSchedule(ctx context.Context, name string) error {
	_, err := s.scheduler.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: &name, GroupName: &s.group})
	if _, unknown := errors.AsType[*types.ResourceNotFoundException](err); unknown {
		return fmt.Errorf("cancelling the schedule %s: %w", name, ErrNoSchedule)
	}
	return s.explain(ctx, "cancelling the schedule "+name, err)
}

// ExecutionARN is the ARN of an execution of the state machine.
func (s *Schedules) ExecutionARN(name string) string {
	return strings.Replace(s.stateMachine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// queueARN makes the ARN of the dead-letter queue from its URL. It is in the account of the URL and the region of the
// state machine.
func (s *Schedules) queueARN() (string, error) {
	machine, err := arn.Parse(s.stateMachine)
	if err != nil {
		return "", fmt.Errorf("%s is %q, which is no ARN", deployment.StateMachine.Variable, s.stateMachine)
	}
	address, err := url.Parse(s.deadLetters)
	account, name := "", ""
	if err == nil {
		account, name = path.Split(strings.Trim(address.Path, "/"))
	}
	if account = strings.Trim(account, "/"); account == "" || name == "" || strings.Contains(account, "/") {
		return "", fmt.Errorf("%s is %q, which is no URL of a queue: https://sqs.<region>.amazonaws.com/<account>/<name>",
			deployment.ScheduleDeadLetterQueue.Variable, s.deadLetters)
	}
	return arn.ARN{Partition: machine.Partition, Service: "sqs", Region: machine.Region, AccountID: account,
		Resource: name}.String(), nil
}

// serverTime is the time on the clock of the service that answered, by its Date header; else that of this machine.
func serverTime(metadata middleware.Metadata) time.Time {
	if at, ok := awsmiddleware.GetServerTime(metadata); ok {
		return at
	}
	return time.Now()
}

// unescaped is JSON in which < and > stand as they are: Scheduler replaces its <attributes> before anybody decodes the
// JSON.
func unescaped(value any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSpace(text.String()), err
}
