// Command migrate is the Lambda function that creates and updates the tables of the ledger, and the role of the functions.
package main

import (
	"os"

	"fanmail/shared/database"
	"fanmail/shared/deployment"
	"fanmail/shared/function"
)

func main() {
	limit, err := deployment.ConnectionLimit(os.Getenv("FANMAIL_CONNECTION_LIMIT"))
	if err != nil {
		function.Fail(err)
	}
	functions := database.FromEnvironment("fanmail-migrate")
	db := database.AdminFromEnvironment("fanmail-migrate")
	if db == nil {
		db = functions
	}
	function.Start(db, (&handler{db: db, functions: functions, limit: limit}).handle)
}
