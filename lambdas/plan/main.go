// Command plan is the Lambda function that decides what a campaign does next.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"
	_ "time/tzdata" // send windows name a zone; the Lambda runtime has no time zone database

	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/deployment"
	"fanmail/shared/function"
	"fanmail/shared/metrics"
	"fanmail/shared/storage"
)

func main() {
	config, err := cloud.Config(context.Background())
	if err != nil {
		function.Fail(err)
	}
	senders, err := strconv.Atoi(os.Getenv("FANMAIL_SENDERS"))
	if err != nil || senders < 1 {
		function.Fail(fmt.Errorf("FANMAIL_SENDERS is %q: set it to the reserved concurrency of the send function", os.Getenv("FANMAIL_SENDERS")))
	}
	functions, err := deployment.Functions()
	if err != nil {
		function.Fail(err)
	}
	if functions, err = deployment.WithSenders(functions, senders); err != nil {
		function.Fail(err)
	}
	timeout, err := cloud.SendTimeout()
	if err != nil {
		function.Fail(err)
	}
	grace, err := grace(os.Getenv("FANMAIL_GRACE"))
	if err != nil {
		function.Fail(err)
	}
	db := database.FromEnvironment("fanmail-plan")
	h := &handler{
		db: db, account: cloud.Account(config), probes: cloud.Sender(config, 1, timeout), configurationSet: os.Getenv("FANMAIL_CONFIGURATION_SET"),
		store: storage.New(cloud.S3(config), os.Getenv("FANMAIL_BUCKET")), senders: senders, bound: deployment.Bound(functions), grace: grace,
		metrics: metrics.FromEnvironment(),
	}
	function.Start(db, h.handle)
}

// defaultGrace is far longer than SES, SNS and SQS take on an ordinary day: being too early could mail somebody twice.
const defaultGrace = 15 * time.Minute

// leastGrace is for a batch of events whose function failed five times: each time SQS waits for the queue's visibility timeout of two minutes.
const leastGrace = 12 * time.Minute

// grace reads FANMAIL_GRACE, written as Go writes durations (15m).
func grace(text string) (time.Duration, error) {
	if text == "" {
		return defaultGrace, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > 24*time.Hour {
		return 0, fmt.Errorf("FANMAIL_GRACE is %q: set it to 1s to 24h, or leave it out for 15m", text)
	}
	if d < leastGrace {
		slog.Warn("FANMAIL_GRACE is for tests only: events that SQS delivers again may be later, and their recipients mailed twice", "grace", text, "least", leastGrace.String())
	}
	return d, nil
}
