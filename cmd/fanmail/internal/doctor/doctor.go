// Package doctor examines a deployment before a campaign does: named checks, each with a finding and, where something
// is wrong, the next step. Judgements are pure functions; the examine files ask the world what they judge.
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Status is how a check ended.
type Status string

const (
	Passed Status = "passed"
	// Warned: campaigns work, but something will go wrong later, or is worse than it could be.
	Warned Status = "warned"
	// Failed: a campaign would fail, or go wrong.
	Failed Status = "failed"
	// Skipped: what the check depends on failed, or was not given.
	Skipped Status = "skipped"
)

// Verdict is what a check found.
type Verdict struct {
	Status Status `json:"status"`
	// Finding is one line: what was seen, or why it was not looked at.
	Finding string `json:"finding"`
	// Next are the steps that make the check pass, a line each: a command, a DNS record, or a few words.
	Next []string `json:"next"`
}

func passed(format string, args ...any) Verdict {
	return Verdict{Passed, fmt.Sprintf(format, args...), []string{}}
}

func skipped(format string, args ...any) Verdict {
	return Verdict{Skipped, fmt.Sprintf(format, args...), []string{}}
}

func warned(finding string, next ...string) Verdict { return Verdict{Warned, finding, next} }

func failed(finding string, next ...string) Verdict { return Verdict{Failed, finding, next} }

// Result is the verdict of one check.
type Result struct {
	// Name never changes: programs find the check by it.
	Name string `json:"name"`
	Verdict
}

// Report is the whole examination.
type Report struct {
	Passed  int      `json:"passed"`
	Warned  int      `json:"warned"`
	Failed  int      `json:"failed"`
	Skipped int      `json:"skipped"`
	Checks  []Result `json:"checks"`
}

// Err names the checks that failed, or is nil.
func (r Report) Err() error {
	var names []string
	for _, c := range r.Checks {
		if c.Status == Failed {
			names = append(names, c.Name)
		}
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("the check %s failed", names[0])
	}
	return fmt.Errorf("%d checks failed: %s", len(names), strings.Join(names, ", "))
}

// Run does all checks in their order and tells each result at once.
func Run(ctx context.Context, p Patient, tell func(Result)) (Report, error) {
	e := &examination{Patient: p}
	report := Report{}
	for _, c := range checks {
		v, wanting := missing(c, report.Checks)
		if !wanting {
			v = c.examine(e, ctx)
		}
		if err := ctx.Err(); err != nil {
			return report, err
		}
		result := Result{c.name, v}
		report.Checks = append(report.Checks, result)
		switch v.Status {
		case Passed:
			report.Passed++
		case Warned:
			report.Warned++
		case Failed:
			report.Failed++
		case Skipped:
			report.Skipped++
		}
		tell(result)
	}
	return report, nil
}

// missing is the verdict on a check that can't be made because of an earlier one.
func missing(c check, earlier []Result) (Verdict, bool) {
	for _, need := range c.needs {
		i := slices.IndexFunc(earlier, func(r Result) bool { return r.Name == need })
		switch r := earlier[i]; r.Status {
		case Failed:
			return skipped("%s failed", need), true
		case Skipped:
			return skipped("%s", r.Finding), true
		}
	}
	return Verdict{}, false
}
