// Command control is the Lambda function that answers the fanmail CLI, which can't reach a database in a VPC.
package main

import (
	"fanmail/shared/database"
	"fanmail/shared/function"
)

func main() {
	db := database.FromEnvironment("fanmail-control")
	function.Start(db, (&handler{db: db}).handle)
}
