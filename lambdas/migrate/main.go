// Command migrate is the Lambda function that creates and updates the tables of the ledger.
package main

import (
	"os"

	"fanmail/shared/database"
	"fanmail/shared/function"
)

func main() {
	db := database.New(os.Getenv("DATABASE_URL"), "fanmail-migrate")
	function.Start(db, (&handler{db: db}).handle)
}
