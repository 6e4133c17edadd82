// Package follow watches an execution of the state machine until it ends.
package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/workflow"
)

const (
	// firstPoll and lastPoll bound the pause between two looks: short at first, because a small campaign is over in a
	// second; then long, because Step Functions and the one control function answer everybody.
	firstPoll = 200 * time.Millisecond
	lastPoll  = 2 * time.Second
	// askWithin limits the question for progress, so that a busy control function does not delay the end.
	askWithin = 5 * time.Second
	// failuresAllowed is how many looks in a row may go unanswered (the SDK tries each several times).
	failuresAllowed = 5
)

// Source answers the two questions of a Follower.
type Source interface {
	DescribeExecution(ctx context.Context, arn string) (cloud.Execution, error)
	Status(ctx context.Context, campaign string) (workflow.Report, error)
}

// Follower watches one execution of one campaign.
type Follower struct {
	Source   Source
	Progress terminal.Progress
}

// End is how an execution ended. Report is what Finish returned; nil when the execution did not succeed.
type End struct {
	Execution string           `json:"execution"`
	Status    string           `json:"status"`
	Error     string           `json:"error,omitempty"`
	Cause     string           `json:"cause,omitempty"`
	Seconds   float64          `json:"seconds"`
	Report    *workflow.Report `json:"report,omitempty"`
}

// Follow returns when the execution has ended, well or not (End.Err tells), or when ctx ends or AWS no longer answers.
func (f Follower) Follow(ctx context.Context, arn, campaign string) (End, error) {
	defer f.Progress.Done()
	f.Progress.Step(campaign + ": started")
	failures := 0
	for pause := firstPoll; ; pause = min(pause*5/4, lastPoll) {
		execution, err := f.Source.DescribeExecution(ctx, arn)
		switch {
		case ctx.Err() != nil:
			return End{}, &Detached{campaign, arn, ctx.Err()}
		case err != nil:
			if failures++; failures > failuresAllowed {
				return End{}, &Detached{campaign, arn, err}
			}
		case !runsStill(execution):
			return newEnd(execution)
		default:
			failures = 0
			f.show(ctx, arn, campaign)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// show draws what the ledger knows. An error is no news: the campaign may not be in the ledger yet, or the function busy.
func (f Follower) show(ctx context.Context, arn, campaign string) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	report, err := f.Source.Status(ctx, campaign)
	if err != nil || report.Execution != arn {
		return
	}
	if report.Waves == 0 || report.Recipients == 0 {
		f.Progress.Step(campaign + ": preparing")
		return
	}
	text := fmt.Sprintf("%s: wave %d", campaign, report.Waves)
	if report.State == "running" && report.Reason != "" {
		text += ", waits: " + report.Reason
	}
	f.Progress.Count(text, report.Recipients-report.Pending-report.InDoubt, report.Recipients)
}

func newEnd(execution cloud.Execution) (End, error) {
	end := End{
		Execution: execution.ARN, Status: execution.Status, Error: execution.Error, Cause: cloud.CauseMessage(execution.Cause),
		Seconds: execution.Stopped.Sub(execution.Started).Seconds(),
	}
	if execution.Status != "SUCCEEDED" {
		return end, nil
	}
	end.Report = new(workflow.Report)
	if err := json.Unmarshal([]byte(execution.Output), end.Report); err != nil {
		return end, fmt.Errorf("the output of %s is not a report: %w", execution.ARN, err)
	}
	return end, nil
}

// Err is nil when the campaign went as it should, which includes that somebody paused or cancelled it; else one line.
func (e End) Err() error {
	switch {
	case e.Report != nil && (e.Report.State == "failed" || e.Report.State == "halted"):
		return fmt.Errorf("%s is %s: %s", e.Report.Campaign, e.Report.State, e.Report.Reason)
	case e.Report != nil:
		return nil
	case e.Status == "ABORTED" && e.Error == "" && e.Cause == "":
		return errors.New("the execution was aborted: starting the campaign again resumes it")
	case e.Error == "" && e.Cause == "":
		return fmt.Errorf("the execution ended as %s", e.Status)
	case e.Cause == "":
		return fmt.Errorf("the execution ended as %s: %s", e.Status, e.Error)
	case e.Error == "":
		return fmt.Errorf("the execution ended as %s: %s", e.Status, e.Cause)
	default:
		return fmt.Errorf("the execution ended as %s: %s: %s", e.Status, e.Error, e.Cause)
	}
}

// HeldLines list the recipients in doubt, and say what can be done about them.
func HeldLines(r workflow.Report) []string {
	if r.InDoubt == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("In doubt (it is not known whether SES took the mail of %s recipients):", terminal.Number(r.InDoubt))}
	for _, h := range r.Held {
		lines = append(lines, fmt.Sprintf("  line %d: %s, since %s", h.Line, h.Address, h.Since.UTC().Format(time.RFC3339)))
	}
	if more := r.InDoubt - int64(len(r.Held)); more > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more", terminal.Number(more)))
	}
	if !UnderWay(r) {
		lines = append(lines, fmt.Sprintf("`fanmail resolve %s --resend` mails them with the next start, `--drop` leaves them out for good", r.Campaign))
	}
	return lines
}

// Print writes the figures of a report, further rows, and what is in doubt.
func Print(w io.Writer, r workflow.Report, rows ...[]string) error {
	if err := terminal.Table(w, append(Rows(r), rows...)); err != nil {
		return err
	}
	for _, line := range HeldLines(r) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// Rows are the figures of a report for terminal.Table.
func Rows(r workflow.Report) [][]string {
	rows := [][]string{
		{"campaign", r.Campaign},
		{"state", r.State},
	}
	if r.Reason != "" {
		rows = append(rows, []string{"reason", r.Reason})
	}
	count := func(name string, n int64) { rows = append(rows, []string{name, terminal.Number(n)}) }
	count("recipients", r.Recipients)
	count("  sent", r.Sent)
	if r.Confirmed > 0 {
		count("    delivered", r.Delivered)
		count("    bounced", r.Bounced)
		count("    complained", r.Complained)
		count("    opened", r.Opened)
		count("    clicked", r.Clicked)
	}
	count("  failed", r.Failed)
	count("  suppressed", r.Suppressed)
	count("  skipped", r.Skipped)
	count("  in doubt", r.InDoubt)
	count("  pending", r.Pending)
	count("rejected lines", r.Rejected)
	for _, reason := range slices.Sorted(maps.Keys(r.RejectedByReason)) {
		count("  "+reason, r.RejectedByReason[reason])
	}
	count("waves", int64(r.Waves))
	count("batches", r.Batches)
	if !r.StartedAt.IsZero() {
		rows = append(rows, []string{"started", r.StartedAt.UTC().Format(time.RFC3339)})
	}
	if !r.EndedAt.IsZero() {
		rows = append(rows, []string{"ended", r.EndedAt.UTC().Format(time.RFC3339)})
	}
	return rows
}
