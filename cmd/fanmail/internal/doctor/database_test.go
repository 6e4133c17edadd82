package doctor

import (
	"errors"
	"fmt"
	"testing"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/shared/workflow"
)

// database is one in order, with a change.
func database(change func(*workflow.Database)) workflow.Database {
	d := workflow.Database{
		Version: "17.2", VersionNumber: 170002, SchemaVersion: "20261126000001", LatestSchema: "20261126000001", RoleName: "fanmail", RoleLimit: 20, Bound: 20,
		MaxConnections: 100, Reserved: 3, OthersConnections: 10, OwnConnections: 2,
	}
	if change != nil {
		change(&d)
	}
	return d
}

func TestTheDatabaseIsJudged(t *testing.T) {
	schema := func(has, knows string) Verdict {
		return judgeSchema(database(func(d *workflow.Database) { d.SchemaVersion, d.LatestSchema = has, knows }))
	}
	limit := func(n int) Verdict {
		return judgeRoleLimit(database(func(d *workflow.Database) { d.RoleLimit = n }))
	}
	others := func(n int) Verdict {
		return judgeConnections(database(func(d *workflow.Database) { d.OthersConnections = n }), 10)
	}
	verdicts(t, []judged{
		{"tables in order", schema("2", "2"), Passed, "as of 2", ""},
		{"no tables", schema("", "2"), Failed, "no tables of Fanmail, or fanmail may not read them", "fanmail migrate"},
		{"old tables", schema("1", "2"), Failed, "as of 1, the functions need 2", "fanmail migrate"},
		{"new tables", schema("3", "2"), Failed, "as of 3, the functions know 2 only", "deploy the version that made these tables"},
		{"limit in order", limit(20), Passed, "may hold 20 connections, the bound is 20, and 2 are in use", ""},
		{"no limit", limit(-1), Failed, "any number", "fanmail migrate"},
		{"limit too low", limit(19), Failed, "refused", "fanmail migrate"},
		{"limit too high", limit(21), Failed, "overshoot", "fanmail migrate"},
		{"settings in order", judgeRoleSettings(database(nil)), Passed, "end by themselves", ""},
		{"settings missing", judgeRoleSettings(database(func(d *workflow.Database) { d.SettingsMissing = []string{"lock_timeout=2min"} })), Failed,
			"the role fanmail lacks lock_timeout=2min", "fanmail migrate"},
		// 97 ordinary slots, 10 of them a spare.
		{"room for all", others(67), Passed, "the server has 20 connections for the functions (max_connections 100, 3 reserved, 67 held by others, 10 spare for them), the bound is 20", ""},
		{"room for some senders", others(76), Warned, "1 of 10 senders would start", "max_connections"},
		{"room for no sender", others(77), Failed, "no sender would start", "max_connections"},
		{"no room at all", others(97), Failed, "has 0 connections", "max_connections"},
	})
}

func TestTheAnswerOfTheControlFunctionIsJudged(t *testing.T) {
	answer := func(kind, message string) Verdict {
		return judgeAnswer(fmt.Errorf("asking: %w", &cloud.FunctionError{Type: kind, Message: message}), "arn:aws:lambda:us-east-1:000000000000:function:fanmail-dev-control")
	}
	denied := fmt.Errorf("asking: %w", &cloud.Refusal{Code: "AccessDeniedException"})
	verdicts(t, []judged{
		{"wrong password", answer("DatabaseFailed", "password authentication failed"), Failed, "password authentication failed", "aws logs tail /aws/lambda/fanmail-dev-control"},
		{"too old", answer("DatabaseFailed", "PostgreSQL at db:5432 is version 13.1, too old: upgrade it to 14 or later"), Failed, "upgrade it to 14", "correct what the line names"},
		{"not reachable", answer("Interrupted", "PostgreSQL can't be reached at db:5432"), Failed, "can't be reached", "security group"},
		{"no slot free", answer("DatabaseBusy", "too many connections"), Failed, "too many", "pg_stat_activity"},
		{"old functions", answer("InvalidRequest", `action "examine" is unknown`), Failed, "older than this program", "deploy the functions"},
		{"silent network", answer("Sandbox.Timedout", "2026 Task timed out after 30.00 seconds"), Failed, "no answer from PostgreSQL", "NAT gateway"},
		{"bad settings", answer("InvalidConfiguration", "DATABASE_URL is not set"), Failed, "DATABASE_URL is not set", "aws logs tail"},
		{"not allowed", judgeAnswer(denied, "control"), Failed, "asking", "allow you lambda:InvokeFunction"},
		{"no such function", judgeAnswer(fmt.Errorf("asking: %w", &cloud.Refusal{Code: "ResourceNotFoundException"}), "control"), Failed, "asking", "fanmail whoami"},
	})
}

func TestARefusedCallIsJudged(t *testing.T) {
	verdicts(t, []judged{
		{"denied", refused(fmt.Errorf("asking: %w", &cloud.Refusal{Code: "AccessDenied"}), "sqs:GetQueueAttributes"), Failed, "", "allow you sqs:GetQueueAttributes: docs/aws.md"},
		{"denied, whatever else may help", refused(fmt.Errorf("asking: %w", &cloud.Refusal{Code: "AccessDeniedException"}), "ses:GetAccount", "other"), Failed, "", "ses:GetAccount"},
		{"throttled", refused(errors.New("TooManyRequestsException"), "ses:GetAccount"), Failed, "TooMany", "run it again"},
		{"with a step of its own", refused(errors.New("no such queue"), "sqs:GetQueueAttributes", "fanmail whoami"), Failed, "no such queue", "fanmail whoami"},
		{"no credentials", judgeCaller(errors.New("no AWS credentials: set AWS_PROFILE")), Failed, "no AWS credentials", "log in again"},
		{"old credentials", judgeCaller(fmt.Errorf("asking: %w", &cloud.Refusal{Code: "ExpiredToken"})), Failed, "", "log in again"},
		{"no network", judgeCaller(errors.New("AWS does not answer")), Failed, "does not answer", "reaches AWS"},
	})
}
