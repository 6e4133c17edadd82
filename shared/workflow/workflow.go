// Package workflow holds what crosses the border between the state machine and the Lambda functions: the input and the
// output of every function, as statemachine/campaign.asl.json passes them, and the named errors that its Retry and Catch
// blocks match. A test in statemachine/ holds these types against the definition.
package workflow

import (
	"encoding/json"
	"fmt"
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
	// Folder is where a one-time schedule finds the files of the campaign: campaigns/<name>, or the copy of it that was checked and
	// frozen when it was scheduled, frozen/<name>/<id>.
	Folder string `json:"folder,omitempty"`
	// ScheduledTime is when a recurring schedule was due. The run is a campaign of its own, named with this time, from the folder
	// campaigns/<name> as it stands.
	ScheduledTime string `json:"scheduledTime,omitempty"`
}

// PrepareInput is the input of lambdas/prepare. Input is the input of the execution as the user wrote it, any JSON;
// Prepare reads it strictly, so that a misspelt key gets a clear answer.
type PrepareInput struct {
	Input     any    `json:"input"`
	Execution string `json:"execution"`
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

// ReasonInterrupted is FinishInput.Reason for an execution that EventBridge reports to have ended as FAILED,
// TIMED_OUT or ABORTED.
const ReasonInterrupted = "interrupted"

// Interruption is the reason for a reader of a campaign whose execution ended so.
func Interruption(campaign, status string) string {
	return fmt.Sprintf("its execution is %s; `fanmail start %s` resumes it", status, campaign)
}

// FinishInput is the input of lambdas/finish. The campaign is the one that Execution owns. With ReasonInterrupted,
// Error.Error is the status of the execution; without an Error that reason comes from the state machine, about a
// campaign that was interrupted before.
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
	// ActionExamine asks for ControlOutput.Database. It names no campaign.
	ActionExamine = "examine"
	// ActionSuppressed asks which of ControlInput.Addresses are on the suppression list; no campaign is named.
	ActionSuppressed = "suppressed"
)

// ControlInput is the input of lambdas/control.
type ControlInput struct {
	// Action is one of the Action constants.
	Action   string `json:"action"`
	Campaign string `json:"campaign"`
	// Rate is in recipients per second.
	Rate float64 `json:"rate,omitempty"`
	// Proof is the id of a message of `fanmail doctor` whose event ActionExamine looks for, a UUID; "" is none.
	Proof string `json:"proof,omitempty"`
	// Addresses are those that ActionSuppressed asks about, normalised, at most MaxAddresses.
	Addresses []string `json:"addresses,omitempty"`
}

// MaxAddresses is the most addresses of one ControlInput. So many of the longest, of 254 bytes, are still less than the 6 MB that
// an invocation may carry.
const MaxAddresses = 20_000

// ControlOutput is the output of lambdas/control: the Report of the campaign, if the action is about one, and what else was asked for.
type ControlOutput struct {
	Report
	// Database is the answer to ActionExamine.
	Database *Database `json:"database,omitempty"`
	// SuppressedAmong answers ActionSuppressed. It is not called suppressed, which is a count of the Report.
	SuppressedAmong *SuppressedAmong `json:"suppressedAmong,omitempty"`
}

// Database is what the functions see of PostgreSQL.
type Database struct {
	// Version is the server's, as it writes it; VersionNumber is the same as a number: 140005 is 14.5.
	Version       string `json:"version"`
	VersionNumber int    `json:"versionNumber"`
	// SchemaVersion is the last migration of the ledger, "" when there is none, or the role may not see it. LatestSchema is the
	// last one that the functions know.
	SchemaVersion string `json:"schemaVersion"`
	LatestSchema  string `json:"latestSchema"`
	// RoleName is the role that the functions connect as, RoleLimit its CONNECTION LIMIT, -1 for none.
	RoleName  string `json:"roleName"`
	RoleLimit int    `json:"roleLimit"`
	// Bound is the largest number of connections that the functions can hold.
	Bound int `json:"bound"`
	// MaxConnections is max_connections, Reserved how many of them no ordinary role gets. OthersConnections are sessions of other
	// roles, OwnConnections those of this role.
	MaxConnections    int `json:"maxConnections"`
	Reserved          int `json:"reserved"`
	OthersConnections int `json:"othersConnections"`
	OwnConnections    int `json:"ownConnections"`
	// Clock is the time of the ledger.
	Clock time.Time `json:"clock"`
	// SettingsMissing are the settings, name=value, that the role should have and has not.
	SettingsMissing []string `json:"settingsMissing"`
	// WitnessedAt is when the event of ControlInput.Proof was written into the ledger; zero when it was not.
	WitnessedAt time.Time `json:"witnessedAt,omitzero"`
}

// SuppressedAmong answers ActionSuppressed.
type SuppressedAmong struct {
	// Positions are those of the suppressed addresses among the ones asked about, from 0, in order.
	Positions []int `json:"positions"`
}
