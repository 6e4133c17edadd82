// Command send is the Lambda function that claims the recipients of a batch and mails them.
package main

import (
	"context"
	"os"

	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/function"
	"fanmail/shared/metrics"
	"fanmail/shared/storage"
)

func main() {
	config, err := cloud.Config(context.Background())
	if err != nil {
		function.Fail(err)
	}
	timeout, err := cloud.SendTimeout()
	if err != nil {
		function.Fail(err)
	}
	db := database.FromEnvironment("fanmail-send")
	store := storage.New(cloud.S3(config), os.Getenv("FANMAIL_BUCKET"))
	h := &handler{
		db: db, store: store, ses: cloud.Sender(config, maxChunk, timeout), timeout: timeout,
		configurationSet: os.Getenv("FANMAIL_CONFIGURATION_SET"), pause: pause, metrics: metrics.FromEnvironment(),
	}
	function.Start(db, h.handle)
}
