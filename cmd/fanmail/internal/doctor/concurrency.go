package doctor

import (
	"fmt"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/budget"
)

const (
	moreConcurrency = "ask AWS for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000"
	reserve         = "deploy with --param reservedConcurrency=functions"
)

// judgeConcurrency holds what the account's functions reserve in all against the bound, which Fanmail's reserve by themselves. Where
// they reserve nothing (reservedConcurrency=account), only an account as small as the bound still keeps to it.
func judgeConcurrency(bound, limit, unreserved int) Verdict {
	reserved := limit - unreserved
	if reserved >= bound {
		return passed("the account has %s concurrent executions and reserves %s; the functions need %d", terminal.Number(int64(limit)), terminal.Number(int64(reserved)), bound)
	}
	account := budget.DefaultAccount
	account.Limit = limit
	steps := []string{reserve}
	if budget.Fit([]budget.Function{{Name: "all", Concurrency: bound}}, account, nil) != nil {
		steps = []string{moreConcurrency, "then " + reserve}
	}
	finding := fmt.Sprintf("the account reserves %d of its %d concurrent executions, the functions need %d", reserved, limit, bound)
	if limit <= bound {
		return warned(finding+": they share the account's with everything else, and are throttled", steps...)
	}
	return failed(finding+": they can open more connections than the bound", steps...)
}
