// Package workflow holds what crosses the border between the state machine and the Lambda functions: the input and the
// output of every function, as statemachine/campaign.asl.json passes them, and the named errors that its Retry and Catch
// blocks match. A test in statemachine/ holds these types against the definition.
package workflow

import (
	"encoding/json"
	"time"
)

// Object names an S3 object, or a prefix of objects.
type Object struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// ExecutionInput is what a user passes to StartExecution.
type ExecutionInput struct {
	// Campaign is the name of the campaign: its folder is campaigns/<name>/ in the bucket.
	Campaign string `json:"campaign"`
}

// PrepareInput is the input of lambdas/prepare. Input is the input of the execution as the user wrote it; Prepare reads
// it strictly, so that a misspelt key gets a clear answer.
type PrepareInput struct {
	Input     map[string]any `json:"input"`
	Execution string         `json:"execution"`
}

// PrepareOutput becomes the state's data for the rest of the execution.
type PrepareOutput struct {
	Campaign  string `json:"campaign"`
	Execution string `json:"execution"`
	// Content is the checked copy of campaign.yaml, templates and attachments that the senders of this execution use.
	Content    Object `json:"content"`
	Recipients int64  `json:"recipients"`
	Rejected   int64  `json:"rejected"`
	// Plan stands where PlanOutput will: the first Plan is told the number of waves that earlier executions ran.
	Plan LastWave `json:"plan"`
}

// LastWave is the number of the wave that ran last; 0 when none did.
type LastWave struct {
	Wave int `json:"wave"`
}

// PlanInput is the input of lambdas/plan.
type PlanInput struct {
	Campaign  string `json:"campaign"`
	Execution string `json:"execution"`
	// Wave is the last wave that ran. When the campaign has counted more, the answer of an earlier run of Plan was lost.
	Wave int `json:"wave"`
	// Now is when Step Functions entered the state: waits end by its clock.
	Now time.Time `json:"now"`
}

// Next is Plan's answer to "what next?".
type Next string

const (
	// NextSend runs a wave over the batches of the manifest.
	NextSend Next = "send"
	// NextWait waits until PlanOutput.Until, then plans again.
	NextWait Next = "wait"
	// NextFinish closes the campaign for PlanOutput.Reason.
	NextFinish Next = "finish"
)

// PlanOutput is the output of lambdas/plan. Every field is always present, because the state machine selects each.
type PlanOutput struct {
	Next   Next   `json:"next"`
	Reason string `json:"reason"`
	// Wave numbers the passes Plan -> Send of a campaign from 1.
	Wave int `json:"wave"`
	// Manifest is a JSON Lines object with one Batch per line; Results is the prefix for the Map's ResultWriter.
	Manifest Object `json:"manifest"`
	Results  Object `json:"results"`
	// MaxConcurrency is the number of senders of the wave, at least 1.
	MaxConcurrency int `json:"maxConcurrency"`
	// Until ends the wave (send) or the wait (wait).
	Until time.Time `json:"until"`
}

// Batch is one line of a manifest: the recipients First..Last (both included) of which Pending were pending at planning.
type Batch struct {
	Number  int   `json:"number"`
	First   int64 `json:"first"`
	Last    int64 `json:"last"`
	Pending int64 `json:"pending"`
}

// SendInput is the input of lambdas/send: the Map's ItemSelector for one batch.
type SendInput struct {
	Campaign  string `json:"campaign"`
	Execution string `json:"execution"`
	Content   Object `json:"content"`
	Wave      int    `json:"wave"`
	Batch     Batch  `json:"batch"`
}

// SendOutput is the output of lambdas/send, kept tiny because every child execution returns one.
type SendOutput struct {
	// More is true when the sender stopped before its deadline with recipients left in its batch.
	More   bool  `json:"more"`
	Sent   int64 `json:"sent"`
	Failed int64 `json:"failed"`
}

// StateError is the Error Output of a state: what a Catch puts at its ResultPath.
type StateError struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// Reason is the failure for a reader: the Cause of a Lambda's error is its error JSON, that of a timeout may be empty.
func (e StateError) Reason() string {
	cause := e.Cause
	var payload struct {
		ErrorMessage string `json:"errorMessage"`
	}
	if err := json.Unmarshal([]byte(cause), &payload); err == nil && payload.ErrorMessage != "" {
		cause = payload.ErrorMessage
	}
	if cause == "" {
		return e.Error
	}
	return e.Error + ": " + cause
}

// FinishInput is the input of lambdas/finish. The campaign is the one that Execution owns.
type FinishInput struct {
	Execution string      `json:"execution"`
	Reason    string      `json:"reason"`
	Error     *StateError `json:"error"`
}

// MigrateOutput is the output of lambdas/migrate.
type MigrateOutput struct {
	// Applied names the migrations that were applied; none when the ledger was up to date.
	Applied []string `json:"applied"`
	// Statements are left for an administrator to run by hand, for the reason given. None are left when the role is in
	// order.
	Statements []string `json:"statements,omitempty"`
	Reason     string   `json:"reason,omitempty"`
	// Warning says that the server has fewer connections than the deployment can hold.
	Warning string `json:"warning,omitempty"`
}

// Report is the output of lambdas/finish, report.json, and the answer of `fanmail status` and `fanmail report`.
// Recipients = Sent + Failed + Suppressed + Skipped + InDoubt + Pending, where Pending includes what senders hold at the
// moment; Pending and InDoubt are 0 when all is settled.
type Report struct {
	Campaign  string `json:"campaign"`
	Execution string `json:"execution"`
	// State is the state of the campaign: running, paused, halted, cancelled, failed or finished.
	State      string `json:"state"`
	Reason     string `json:"reason"`
	Recipients int64  `json:"recipients"`
	Sent       int64  `json:"sent"`
	Failed     int64  `json:"failed"`
	Suppressed int64  `json:"suppressed"`
	Skipped    int64  `json:"skipped"`
	InDoubt    int64  `json:"inDoubt"`
	Pending    int64  `json:"pending"`
	Rejected   int64  `json:"rejected"`
	// Confirmed and what follows are what SES events say of the messages that SES accepted.
	Confirmed  int64 `json:"confirmed"`
	Delivered  int64 `json:"delivered"`
	Bounced    int64 `json:"bounced"`
	Complained int64 `json:"complained"`
	Opened     int64 `json:"opened"`
	Clicked    int64 `json:"clicked"`
	// Held are the first of the recipients in doubt, at most MaxHeld; all of them are in outcomes.csv.
	Held []Held `json:"held,omitempty"`
	// Resolved is how many recipients in doubt ActionResend or ActionDrop has settled.
	Resolved int64 `json:"resolved,omitempty"`
	// RecipientsDigest is the SHA-256 of the recipients file, in hexadecimal.
	RecipientsDigest string `json:"recipientsDigest"`
	// RejectedByReason counts the lines of recipients.csv that did not become a recipient.
	RejectedByReason map[string]int64 `json:"rejectedByReason"`
	Waves            int              `json:"waves"`
	Batches          int64            `json:"batches"`
	StartedAt        time.Time        `json:"startedAt"`
	// EndedAt is zero while the campaign runs.
	EndedAt time.Time `json:"endedAt,omitzero"`
	// Outcomes and Rejects are the CSV files beside the report.
	Outcomes Object `json:"outcomes,omitzero"`
	Rejects  Object `json:"rejects,omitzero"`
}

// MaxHeld is the most recipients in doubt that a Report lists.
const MaxHeld = 20

// Held is a recipient in doubt: it is not known whether SES accepted the message.
type Held struct {
	Seq int64 `json:"seq"`
	// Line is the line of the recipients file.
	Line    int64  `json:"line"`
	Address string `json:"address"`
	// Since is when its sender could have called SES at the latest.
	Since time.Time `json:"since"`
}

// What lambdas/control can be asked.
const (
	// ActionStatus asks for the Report of a campaign as it stands now.
	ActionStatus = "status"
	// ActionRate changes the rate of a campaign to ControlInput.Rate; 0 means no slower than the account.
	ActionRate = "rate"
	// ActionResend makes the recipients in doubt pending, for the next start of the campaign; ActionDrop leaves them out for
	// good. Report.Resolved counts them.
	ActionResend = "resend"
	ActionDrop   = "drop"
)

// ControlInput is the input of lambdas/control, which always answers with the Report of the campaign.
type ControlInput struct {
	// Action is one of the Action constants.
	Action   string `json:"action"`
	Campaign string `json:"campaign"`
	// Rate is in recipients per second.
	Rate float64 `json:"rate,omitempty"`
}
