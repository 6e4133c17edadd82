package cloud

import (
	"fmt"
	"testing"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
)

// settings is an answer of GetAccountSettings.
func settings(limit, unreserved int) reply {
	return reply{200, "", fmt.Sprintf(`{"AccountLimit":{"TotalCodeSize":1,"ConcurrentExecutions":%d,"UnreservedConcurrentExecutions":%d},"AccountUsage":{"FunctionCount":3}}`, limit, unreserved)}
}

func TestAnUpgradeDoesNotCountItselfTwice(t *testing.T) {
	functions := []deployment.Function{{Key: "plan", ReservedConcurrency: 2}, {Key: "send", ReservedConcurrency: 10}, {Key: "new", ReservedConcurrency: 1}}
	const of = "GET /2019-09-30/functions/fanmail-prod-%s/concurrency"
	answers := func() map[string][]reply {
		return map[string][]reply{
			"GET /2016-08-19/account-settings": {settings(1000, 958)}, "GET /2016-08-19/account-settings/": {settings(1000, 958)},
			fmt.Sprintf(of, "plan"): {{200, "", `{"ReservedConcurrentExecutions":2}`}}, fmt.Sprintf(of, "send"): {{200, "", `{}`}},
			fmt.Sprintf(of, "new"): {{404, "ResourceNotFoundException", `{"Type":"User","Message":"Function not found: arn:aws:lambda:eu-west-1:123456789012:function:fanmail-prod-new"}`}},
		}
	}
	got, err := opened(t, &fake{answers: answers()}, chosen("prod"), nil).Concurrency(t.Context(), functions)
	want := Concurrency{Limit: 1000, Unreserved: 958, Own: 2, Stage: "prod"}
	if err != nil || got != want || got.Others() != 40 {
		t.Errorf("got %+v, %d of others, %v", got, got.Others(), err)
	}

	// Without a stage it is that of the only stack, or this is the first deployment.
	aws := &fake{answers: answers()}
	aws.answers["DescribeStacks"] = []reply{stacks("", complete("fanmail-prod"))}
	if got, err = opened(t, aws, deployments.Choice{}, nil).Concurrency(t.Context(), functions); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	aws = &fake{answers: answers()}
	aws.answers["DescribeStacks"] = []reply{stacks("")}
	want.Own, want.Stage = 0, ""
	if got, err = opened(t, aws, deployments.Choice{}, nil).Concurrency(t.Context(), functions); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	aws = &fake{answers: answers()}
	aws.answers["DescribeStacks"] = []reply{stacks("", complete("fanmail-a"), complete("fanmail-b"))}
	_, err = opened(t, aws, deployments.Choice{}, nil).Concurrency(t.Context(), functions)
	wantError(t, err, "there are 2 stacks of Fanmail")
}
