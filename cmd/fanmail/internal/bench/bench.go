// Package bench measures a campaign on the local runtime against the bare loop: the same SES client calling the same SES
// with the same messages and parallelism, from as many processes as the campaign had senders, but without a database, a
// state machine or Lambda.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"fanmail/cmd/fanmail/internal/demo"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/follow"
	"fanmail/cmd/fanmail/internal/launch"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/local"
	"fanmail/shared/mailer"
	"fanmail/shared/workflow"
)

// Names of the campaigns; the third is that of the bare loop's messages.
const (
	WarmUp   = "bench-warm-up"
	Campaign = "bench"
	BareLoop = "bench-loop"
)

// warmUp is how many recipients the warm-up has per connection of the bound, so that every sender gets a batch: Plan makes
// none for less than 50.
const warmUp = 100

// Bench is one run of the benchmark.
type Bench struct {
	// Folder is the campaign's, with its own list: Recipients are generated from it.
	Folder     folder.Folder
	Recipients int64
	Cloud      demo.Cloud
	Runtime    *local.Runtime
	Progress   terminal.Progress
	// Loop starts one process of the bare loop for a share of the recipients.
	Loop func(ctx context.Context, share Share) (*Process, error)
	// Version is added to the names of the campaigns, for a ledger that outlives the run.
	Version string
}

// Run warms up, runs the campaign and then the bare loop, each once.
func (b Bench) Run(ctx context.Context) (*Result, error) {
	defer b.Progress.Done()
	if _, err := b.campaign(ctx, WarmUp+b.Version, int64(b.Runtime.ConnectionBound())*warmUp, "warming up"); err != nil {
		return nil, err
	}
	before, notCounted := b.Runtime.Statements(ctx)
	if notCounted != nil && !errors.Is(notCounted, local.ErrStatementsNotCounted) {
		return nil, notCounted
	}
	end, err := b.campaign(ctx, Campaign+b.Version, b.Recipients, "campaign")
	if err != nil {
		return nil, err
	}
	result := &Result{
		Recipients: end.Report.Recipients, Sent: end.Report.Sent, Parallel: mailer.Parallel, Processors: runtime.NumCPU(),
		LatencyMilliseconds: b.Runtime.SES().Settings().LatencyMilliseconds, Waves: end.Report.Waves, Batches: end.Report.Batches,
		EndToEnd: speed(end.Report.Sent, time.Duration(end.Seconds*float64(time.Second))),
	}
	if notCounted == nil {
		after, err := b.Runtime.Statements(ctx)
		if err != nil {
			return nil, err
		}
		result.countStatements(before, after)
	}
	b.measure(result)
	if result.Loop, err = b.loop(ctx, result.Senders); err != nil {
		return nil, err
	}
	b.Progress.Step("reading the mailbox")
	if result.Sending, err = b.sending(end.Report.Sent); err != nil {
		return nil, err
	}
	result.Ratio = result.EndToEnd.MessagesPerSecond / result.Loop.MessagesPerSecond
	result.SendingRatio = result.Sending.MessagesPerSecond / result.Loop.MessagesPerSecond
	return result, nil
}

// campaign sends a generated list through the runtime, as a user would.
func (b Bench) campaign(ctx context.Context, name string, recipients int64, what string) (follow.End, error) {
	f, err := generated(b.Folder, name, recipients)
	if err != nil {
		return follow.End{}, err
	}
	content, err := folder.Content(f)
	if err != nil {
		return follow.End{}, err
	}
	if err := launch.Upload(ctx, b.Cloud, f, name, content.Campaign.Files(), quiet); err != nil {
		return follow.End{}, err
	}
	defer b.show(what, recipients)()
	arn, err := b.Cloud.StartExecution(ctx, launch.ExecutionName(name, time.Now()), workflow.ExecutionInput{Campaign: name})
	if err != nil {
		return follow.End{}, err
	}
	end, err := follow.Follower{Source: silent{b.Cloud}, Progress: quiet}.Follow(ctx, arn, name)
	if err == nil {
		err = end.Err()
	}
	if err == nil && (end.Report == nil || end.Report.Sent != recipients) {
		err = fmt.Errorf("the campaign %s did not send to all of its %s recipients", name, terminal.Number(recipients))
	}
	return end, err
}

// generated is the folder under another name, with a list of n recipients.
func generated(f folder.Folder, name string, n int64) (folder.Folder, error) {
	return demo.Generate(folder.Folder{Name: name, FS: f.FS}, n)
}

// show draws how many messages SES has accepted from now on, until the function that it returns is called.
func (b Bench) show(what string, total int64) (stop func()) {
	begun, end, ended := b.Runtime.SES().Accepted(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			b.Progress.Count(what, b.Runtime.SES().Accepted()-begun, total)
			select {
			case <-ticker.C:
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// measure takes what the runtime saw of the functions and of the database up to now.
func (b Bench) measure(r *Result) {
	connections := b.Runtime.Connections()
	r.MaxConnections, r.ConnectionBound = connections.Peak()-connections.Baseline(), b.Runtime.ConnectionBound()
	stats := b.Runtime.Lambda().Stats()
	r.Senders = stats[senderFunction].PeakConcurrency
	r.Sender, r.Prepare = b.memory(stats, senderFunction), b.memory(stats, prepareFunction)
}

var quiet = terminal.NewProgress(io.Discard)
