package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/shared/campaign"
)

func TestEveryCheckHasANameOfItsOwnAndNeedsEarlierOnes(t *testing.T) {
	var names []string
	for _, c := range checks {
		if slices.Contains(names, c.name) {
			t.Errorf("two checks are called %s", c.name)
		}
		for _, need := range c.needs {
			if !slices.Contains(names, need) {
				t.Errorf("%s needs %s, which does not come before it", c.name, need)
			}
		}
		names = append(names, c.name)
	}
	// Programs find the checks by these names: add, but don't rename.
	for _, name := range strings.Fields("folder deployment credentials clock database schema role-limit role-settings concurrency connections ledger-clock ses " +
		"sandbox sending quota identity dkim spf dmarc configuration-set event-destination events-queue events-dead-letters schedule-dead-letters events") {
		if !slices.Contains(names, name) {
			t.Errorf("the check %s is gone", name)
		}
	}
}

func TestWhatDependsOnAFailedCheckIsSkippedWithTheReason(t *testing.T) {
	earlier := []Result{{"a", passed("fine")}, {"b", failed("bad", "do it")}, {"c", warned("so-so", "do it")}, {"d", skipped("b failed")}}
	for needs, want := range map[string]string{"a": "", "a c": "", "b": "b failed", "a d": "b failed"} {
		v, missing := missing(check{needs: strings.Fields(needs)}, earlier)
		if missing != (want != "") || v.Finding != want {
			t.Errorf("needs %s: %+v", needs, v)
		}
	}
}

func TestWithoutADeploymentTheFolderIsStillExamined(t *testing.T) {
	p := Patient{
		Path: "spring-sale", Unopened: errors.New("FANMAIL_BUCKET is not set\nAWS_REGION is not set"),
		Folder: &folder.Result{Problems: campaign.Problems{{File: "mail.txt", Line: 3, Message: "no such field"}}},
	}
	told := 0
	report, err := Run(t.Context(), p, func(Result) { told++ })
	if err != nil || told != len(checks) || report.Failed != 2 || report.Skipped != len(checks)-2 {
		t.Fatalf("%+v %v", report, err)
	}
	if folder := report.Checks[0]; folder.Finding != "spring-sale has problems, 1 in all; the first: mail.txt:3: no such field" || folder.Next[0] != "fanmail check spring-sale" {
		t.Errorf("%+v", folder)
	}
	if deployment := report.Checks[1]; deployment.Finding != "FANMAIL_BUCKET is not set; AWS_REGION is not set" {
		t.Errorf("%+v", deployment)
	}
	if err := report.Err(); err == nil || err.Error() != "2 checks failed: folder, deployment" {
		t.Error(err)
	}
}

func TestADeploymentThatMayNotBeLookedUpNeedsAnAdministrator(t *testing.T) {
	e := examination{Patient: Patient{Unopened: fmt.Errorf("looking for the stack of Fanmail: %w", &cloud.Refusal{Code: "AccessDenied"})}}
	v := e.deployment(t.Context())
	if v.Status != Failed || !slices.Equal(v.Next, []string{"let an administrator allow you cloudformation:DescribeStacks: docs/aws.md has the policy of an operator"}) {
		t.Errorf("%+v", v)
	}
}

func TestAnInterruptedExaminationIsNoReport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Patient{Unopened: errors.New("no")}, func(Result) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
