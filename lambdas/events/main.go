// Command events is the Lambda function that writes into the ledger what SES says of the messages.
package main

import (
	"fanmail/shared/database"
	"fanmail/shared/function"
	"fanmail/shared/metrics"
)

func main() {
	db := database.FromEnvironment("fanmail-events")
	function.Start(db, (&handler{db: db, metrics: metrics.FromEnvironment()}).handle, function.Lenient())
}
