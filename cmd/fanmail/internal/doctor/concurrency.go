package doctor

import (
	"fmt"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/budget"
)

const (
	moreConcurrency = "ask AWS for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code " + budget.ConcurrencyQuota + " --desired-value 1000"
	reserve         = "deploy with --param reservedConcurrency=functions"
)

// judgeConcurrency holds what Fanmail's functions reserve against the bound. Where they reserve nothing
// (reservedConcurrency=account), only an account as small as the bound keeps to it.
func judgeConcurrency(bound int, c cloud.Concurrency) Verdict {
	if c.Own >= bound {
		return passed("the functions reserve %d of the account's %s concurrent executions", c.Own,
			terminal.Number(int64(c.Limit)))
	}
	account := budget.DefaultAccount
	account.Limit, account.Others = c.Limit, c.Others()
	steps := []string{reserve}
	if budget.Fit([]budget.Function{{Name: "all", Concurrency: bound}}, account, nil) != nil {
		steps = []string{moreConcurrency, "then " + reserve}
	}
	finding := fmt.Sprintf("the functions reserve %d of the account's %d concurrent executions, the bound is %d",
		c.Own, c.Limit, bound)
	if c.Limit <= bound {
		return warned(finding+": they share the account's with everything else, and are throttled", steps...)
	}
	return failed(finding+": they can open more connections than the bound", steps...)
}
