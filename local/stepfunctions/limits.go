package stepfunctions

// Quotas of Step Functions. Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	// maxPayloadBytes bounds the input and the output of a task, a state or an execution, in bytes of UTF-8.
	maxPayloadBytes = 256 * 1024
	// maxDefinitionBytes bounds a definition.
	maxDefinitionBytes = 1024 * 1024
	// maxHistoryEvents bounds the history of one execution; a child of a Map Run has its own.
	maxHistoryEvents = 25_000
	// maxRunConcurrency is how many children of a Map Run run in parallel when MaxConcurrency is 0.
	maxRunConcurrency = 10_000
	// maxNameCharacters bounds the names of executions, state machines and states.
	maxNameCharacters = 80
	// maxLabelCharacters bounds the Label of a Map.
	maxLabelCharacters = 40
	// maxItemBytes bounds one item of an ItemReader's object.
	maxItemBytes = 8 * 1024 * 1024
	// maxWaitSeconds bounds Seconds, TimeoutSeconds and MaxAttempts.
	maxWaitSeconds = 99_999_999
	// maxDelaySeconds bounds MaxDelaySeconds of a Retry: a year of 366 days.
	maxDelaySeconds = 31_622_400
)

// Page sizes of the List actions and GetExecutionHistory.
const (
	defaultPageSize = 100
	maxPageSize     = 1000
)

// maxChildren is how many children of Map Runs are kept in memory, each packed into a few hundred bytes. AWS keeps all of
// them for 90 days.
const maxChildren = 100_000

// resultFileBytes is the size at which the ResultWriter begins a new SUCCEEDED_n.json or FAILED_n.json, so that memory
// stays bounded. AWS begins a new one at 5 GB.
const resultFileBytes = 16 * 1024 * 1024
