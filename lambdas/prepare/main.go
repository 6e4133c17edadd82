// Command prepare is the Lambda function that checks a campaign folder and imports its recipients into the ledger.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // send windows name a zone; the Lambda runtime has no time zone database

	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/function"
	"fanmail/shared/storage"
)

func main() {
	config, err := cloud.Config(context.Background())
	if err != nil {
		function.Fail(err)
	}
	db := database.FromEnvironment("fanmail-prepare")
	store := storage.New(cloud.S3(config), os.Getenv("FANMAIL_BUCKET"))
	function.Start(db, (&handler{db: db, store: store, executions: cloud.StepFunctions(config)}).handle)
}
