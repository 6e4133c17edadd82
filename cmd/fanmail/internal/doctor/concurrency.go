package doctor

import (
	"fmt"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/budget"
)

const (
	moreConcurrency = "ask AWS for more: aws service-quotas request-service-quota-increase --service-code lambda " +
		"--quota-code L-B99A9384 --desired-value 1000"
	reserve = "deploy with --param reservedConcurrency=functions"
)

// judgeConcurrency holds what the functions reserve of the account's concurrency against the bound, which is the sum
// of functions.yml. Where they reserve less (reservedConcurrency=account), only an account as small as the bound still
// keeps to it.
func judgeConcurrency(bound, limit, reserved int) Verdict {
	finding := fmt.Sprintf("the functions reserve %d of the account's %s concurrent executions, and need %d",
		reserved, terminal.Number(int64(limit)), bound)
	if reserved >= bound {
		return passed("%s", finding)
	}
	account := budget.DefaultAccount
	account.Limit = limit
	steps := []string{reserve}
	if budget.Fit([]budget.Function{{Name: "all", Concurrency: bound}}, account, nil) != nil {
		steps = []string{moreConcurrency, "then " + reserve}
	}
	if limit <= bound {
		return warned(finding+": they share the account's with everything else, and are throttled", steps...)
	}
	return failed(finding+": they can open more connections than the bound", steps...)
}
