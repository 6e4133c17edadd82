// Command plan is the Lambda function that decides what a campaign does next.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	_ "time/tzdata" // send windows name a zone; the Lambda runtime has no time zone database

	"fanmail/shared/cloud"
	"fanmail/shared/database"
	"fanmail/shared/deployment"
	"fanmail/shared/function"
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
	db := database.FromEnvironment("fanmail-plan")
	store := storage.New(cloud.S3(config), os.Getenv("FANMAIL_BUCKET"))
	function.Start(db, (&handler{db: db, account: cloud.Account(config), store: store, senders: senders, bound: deployment.Bound(functions)}).handle)
}
