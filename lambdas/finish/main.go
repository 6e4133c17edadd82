// Command finish is the Lambda function that writes the report of a campaign and closes it, and notes that one is
// interrupted.
package main

import (
	"context"
	"os"

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
	db := database.FromEnvironment("fanmail-finish")
	store := storage.New(cloud.S3(config), os.Getenv("FANMAIL_BUCKET"))
	function.Start(db, (&handler{db: db, store: store}).handle)
}
