package follow

import (
	"context"
	"errors"
	"fmt"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/shared/workflow"
)

// Interrupted is the state of a campaign whose execution ended without a chance to say so: it was stopped, for
// instance. A campaign that the ledger still has as under way is shown so, too.
const Interrupted = "interrupted"

// UnderWay tells whether the ledger counts on the execution of a campaign to go on: it is being imported or sent, and no end of
// the execution was recorded.
func UnderWay(r workflow.Report) bool {
	return (r.State == "importing" || r.State == "running") && r.Execution != "" && r.EndedAt.IsZero()
}

// Owner asks for the status of the execution that a campaign belongs to. One that Step Functions has forgotten has ended.
func Owner(ctx context.Context, source Source, r workflow.Report) (status string, runs bool, err error) {
	execution, err := source.DescribeExecution(ctx, r.Execution)
	if errors.Is(err, cloud.ErrNoExecution) {
		return "forgotten", false, nil
	}
	return execution.Status, runsStill(execution), err
}

func runsStill(e cloud.Execution) bool { return e.Status == "RUNNING" || e.Status == "PENDING_REDRIVE" }

// Detached says that an execution is no longer followed, and why.
type Detached struct {
	Campaign, Execution string
	Err                 error
}

func (d *Detached) Error() string {
	return fmt.Sprintf("no longer following %s, which goes on by itself (`fanmail status %s`): %v", d.Execution, d.Campaign, d.Err)
}

func (d *Detached) Unwrap() error { return d.Err }
