package local

import (
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanmail/local/scheduler"
)

// scheduleGroup is the group of the deployment's schedules.
const scheduleGroup = "fanmail-local"

// startScheduler makes the service of schedules. It invokes nothing yet: campaigns need the ledger.
func (r *Runtime) startScheduler(config aws.Config) (err error) {
	r.scheduler, err = scheduler.New(scheduler.Config{
		File:       filepath.Join(r.directory, "scheduler.json"),
		Group:      scheduleGroup,
		Region:     Region,
		Account:    Account,
		Endpoint:   r.endpoint,
		Executions: sfn.NewFromConfig(config),
		Queues:     awssqs.NewFromConfig(config),
		Clock:      r.clock,
		Twice:      r.faults.DeliverScheduleTwice,
		Logger:     r.options.Logger,
	})
	return err
}
