package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

// account is one in order, with a change.
func account(change func(*sesv2.GetAccountOutput)) *sesv2.GetAccountOutput {
	a := &sesv2.GetAccountOutput{
		ProductionAccessEnabled: true, SendingEnabled: true, EnforcementStatus: aws.String("HEALTHY"),
		SendQuota: &types.SendQuota{Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 1_500},
	}
	if change != nil {
		change(a)
	}
	return a
}

func TestTheAccountIsJudged(t *testing.T) {
	quota := func(most, sent, rate float64) *sesv2.GetAccountOutput {
		return account(func(a *sesv2.GetAccountOutput) {
			a.SendQuota = &types.SendQuota{Max24HourSend: most, SentLast24Hours: sent, MaxSendRate: rate}
		})
	}
	status := func(status string) *sesv2.GetAccountOutput {
		return account(func(a *sesv2.GetAccountOutput) { a.EnforcementStatus = &status })
	}
	verdicts(t, []judged{
		{"out of the sandbox", judgeSandbox(account(nil)), Passed, "out of SES's sandbox", ""},
		{"in the sandbox", judgeSandbox(account(func(a *sesv2.GetAccountOutput) { a.ProductionAccessEnabled = false })), Failed, "in SES's sandbox", "put-account-details"},
		{"it may send", judgeSending(account(nil)), Passed, "may send", ""},
		{"paused", judgeSending(account(func(a *sesv2.GetAccountOutput) { a.SendingEnabled = false })), Failed, "paused", "put-account-sending-attributes --sending-enabled"},
		{"under review", judgeSending(status("PROBATION")), Warned, "reviews", "Support Center"},
		{"shut down", judgeSending(status("SHUTDOWN")), Failed, "ended", "Support Center"},
		{"shut down and paused", judgeSending(account(func(a *sesv2.GetAccountOutput) {
			a.SendingEnabled, a.EnforcementStatus = false, aws.String("SHUTDOWN")
		})), Failed, "ended", "Support Center"},
		{"a status that we do not know", judgeSending(status("FINE")), Passed, "may send", ""},
		{"quota left", judgeQuota(account(nil)), Passed, "48,500 of 50,000 messages per 24 hours left, 14 per second", ""},
		{"no quota", judgeQuota(quota(-1, 7, 2.5)), Passed, "no daily quota, 2.5 messages per second", ""},
		{"one left", judgeQuota(quota(200, 199, 1)), Passed, "1 of 200", ""},
		{"used up", judgeQuota(quota(200, 200, 1)), Failed, "quota of 200 messages per 24 hours is used up", "wait"},
		{"overdrawn", judgeQuota(quota(200, 210, 1)), Failed, "used up", "ask for more"},
		{"no rate", judgeQuota(quota(200, 0, 0)), Failed, "rate of 0", "ask for more"},
		{"no answer", judgeQuota(&sesv2.GetAccountOutput{}), Failed, "no quota", "again"},
	})
}

func TestConcurrencyIsJudged(t *testing.T) {
	const bound = 20
	verdicts(t, []judged{
		{"all is reserved", judgeConcurrency(bound, 1000, 20), Passed, "the functions reserve 20 of the account's 1,000 concurrent executions, and need 20", ""},
		{"more is reserved", judgeConcurrency(bound, 1000, 30), Passed, "reserve 30", ""},
		{"not all is reserved", judgeConcurrency(bound, 1000, 19), Failed, "reserve 19 of the account's 1,000", "deploy with --param reservedConcurrency=functions"},
		{"there is no room to reserve", judgeConcurrency(bound, 119, 0), Failed, "more connections than the bound", "request-service-quota-increase"},
		{"a new account", judgeConcurrency(bound, 10, 0), Warned, "throttled", "request-service-quota-increase"},
		{"as small as the bound", judgeConcurrency(bound, 20, 0), Warned, "throttled", "then deploy with"},
	})
}
