// Package stepfunctions is AWS Step Functions on one machine: an interpreter of the Amazon States Language (JSONPath) and
// the Step Functions JSON 1.0 API, for development and tests. The engine for real campaigns is AWS's.
//
// It supports Task (arn:aws:states:::lambda:invoke), Choice, Wait, Pass, Succeed, Fail and Map with a DISTRIBUTED STANDARD
// processor. Whatever else a definition holds is refused by name, with its JSON path, when the definition is loaded, so
// that a definition never runs here and means something else on AWS.
//
// Limits, error names and the order of history events are AWS's. The order was taken from recordings of the real
// service: a distributed Map is MapStateEntered, MapStateStarted (length 0 with an ItemReader), MapRunStarted,
// MapRunSucceeded, MapStateSucceeded, MapStateExited (whose previous event is MapRunSucceeded), and on failure MapRunFailed,
// MapStateFailed. The first state's previous event is 0, and so is that of ExecutionAborted and ExecutionTimedOut. A Retry
// adds no event of its own: the next TaskScheduled follows the failure. Not established by a recording, and chosen here:
// MapRunAborted (after MapRunStarted) before ExecutionAborted when an execution is stopped while a Map Run is open.
//
// One documented rule has a recording against it: States.ALL does not match States.DataLimitExceeded (developer guide,
// "Handling errors"), though a recording of 2024 shows it caught. The stricter one is kept here: what depends on such a
// Catch must not work locally only.
//
// What differs from AWS: executions are not redriven; a Map Run's PENDING result file is never written, and an aborted
// Map Run writes no results; executions are kept in memory until Close, of which the children of Map Runs at most
// maxChildren (those of the oldest ended Map Runs are dropped first).
package stepfunctions
