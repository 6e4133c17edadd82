package doctor

import "context"

// check is one question about the deployment.
type check struct {
	name string
	// needs are earlier checks without which this one tells nothing.
	needs   []string
	examine func(*examination, context.Context) Verdict
}

// checks are all checks, in the order in which they are made.
var checks = []check{
	{"folder", nil, (*examination).folder},
	{"deployment", nil, (*examination).deployment},
	{"credentials", []string{"deployment"}, (*examination).credentials},
	{"clock", []string{"deployment"}, (*examination).clock},

	{"database", []string{"credentials"}, (*examination).database},
	{"schema", []string{"database"}, (*examination).schema},
	{"role-limit", []string{"database"}, (*examination).roleLimit},
	{"role-settings", []string{"database"}, (*examination).roleSettings},
	{"concurrency", []string{"database"}, (*examination).concurrency},
	{"connections", []string{"database"}, (*examination).connections},
	{"ledger-clock", []string{"database"}, (*examination).ledgerClock},

	{"ses", []string{"credentials"}, (*examination).ses},
	{"sandbox", []string{"ses"}, (*examination).sandbox},
	{"sending", []string{"ses"}, (*examination).sending},
	{"quota", []string{"ses"}, (*examination).quota},

	{"identity", []string{"ses"}, (*examination).identity},
	{"dkim", []string{"identity"}, (*examination).dkim},
	{"spf", []string{"identity"}, (*examination).spf},
	{"dmarc", []string{"identity"}, (*examination).dmarc},

	{"configuration-set", []string{"credentials"}, (*examination).configurationSet},
	{"event-destination", []string{"configuration-set"}, (*examination).eventDestination},
	{"events-queue", []string{"credentials"}, (*examination).eventsQueue},
	// What SNS could not deliver is there, too: only with the other queue's ARN SQS knows where to move it.
	{"events-dead-letters", []string{"events-queue"}, (*examination).eventsDeadLetters},
	{"schedule-dead-letters", []string{"credentials"}, (*examination).scheduleDeadLetters},
	{"events", []string{"schema", "sending", "quota", "identity", "event-destination"}, (*examination).events},
}
