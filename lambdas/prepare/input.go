package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fanmail/shared/workflow"
)

var campaignName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// executionInput reads the input of the execution strictly. EventBridge Scheduler may add keys that start with "aws" or
// "AWS"; Step Functions adds AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.
func executionInput(in map[string]any) (workflow.ExecutionInput, error) {
	const example = `write {"campaign": "spring-sale"}`
	var unknown []string
	for key := range in {
		if key != "campaign" && !strings.HasPrefix(strings.ToUpper(key), "AWS") {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		return workflow.ExecutionInput{}, &workflow.InvalidCampaign{Message: fmt.Sprintf("the execution's input has unknown fields: %s; %s", strings.Join(unknown, ", "), example)}
	}
	name, ok := in["campaign"].(string)
	if !ok {
		return workflow.ExecutionInput{}, &workflow.InvalidCampaign{Message: "the execution's input has no campaign; " + example}
	}
	if !campaignName.MatchString(name) {
		return workflow.ExecutionInput{}, &workflow.InvalidCampaign{Message: fmt.Sprintf("%q is not the name of a campaign: use a-z, 0-9 and -, at most 64 characters; %s", name, example)}
	}
	return workflow.ExecutionInput{Campaign: name}, nil
}
