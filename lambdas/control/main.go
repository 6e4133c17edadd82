// Command control is the Lambda function that answers the fanmail CLI, which can't reach a database in a VPC.
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
	db := database.FromEnvironment("fanmail-control")
	function.Start(db, (&handler{db: db, limit: limit}).handle)
}
