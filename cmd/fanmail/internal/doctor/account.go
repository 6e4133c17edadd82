package doctor

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"fanmail/cmd/fanmail/internal/terminal"
)

func judgeSandbox(a *sesv2.GetAccountOutput) Verdict {
	if a.ProductionAccessEnabled {
		return passed("the account is out of SES's sandbox")
	}
	return failed("the account is in SES's sandbox: it mails verified addresses and the simulator only",
		"aws sesv2 put-account-details --production-access-enabled --mail-type MARKETING --contact-language EN "+
			"--website-url https://YOUR-SITE",
		"Amazon answers within a day or so, by e-mail")
}

// What SES thinks of the account.
const (
	underReview = "PROBATION"
	shutDown    = "SHUTDOWN"
)

func judgeSending(a *sesv2.GetAccountOutput) Verdict {
	const reputation = "read Amazon's mail about it and answer the case in the AWS Support Center; " +
		"the SES console has the rates under Reputation metrics"
	switch status := aws.ToString(a.EnforcementStatus); {
	case status == shutDown:
		return failed("Amazon has ended the account's sending because of bounces or complaints", reputation)
	case !a.SendingEnabled:
		return failed("the account's sending is paused", "aws sesv2 put-account-sending-attributes --sending-enabled")
	case status == underReview:
		return warned("Amazon reviews the account because of bounces or complaints, and may end its sending",
			reputation)
	}
	return passed("the account may send")
}

func judgeQuota(a *sesv2.GetAccountOutput) Verdict {
	const more = "ask for more: Service Quotas in the AWS console, Amazon Simple Email Service"
	q := a.SendQuota
	switch {
	case q == nil:
		return failed("SES reports no quota", "run it again later")
	case q.MaxSendRate <= 0:
		return failed("SES gives the account a rate of 0 messages per second", more)
	case q.Max24HourSend < 0:
		return passed("no daily quota, %v messages per second", q.MaxSendRate)
	}
	left := int64(q.Max24HourSend - q.SentLast24Hours)
	if left < 1 {
		return failed(fmt.Sprintf("the quota of %s messages per 24 hours is used up",
			terminal.Number(int64(q.Max24HourSend))),
			"wait: it renews message by message, 24 hours after each; a campaign waits by itself", "or "+more)
	}
	return passed("%s of %s messages per 24 hours left, %v per second",
		terminal.Number(left), terminal.Number(int64(q.Max24HourSend)), q.MaxSendRate)
}
