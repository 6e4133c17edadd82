package main

import (
	"fmt"
	"slices"
	"strings"

	"fanmail/shared/campaign"
	"fanmail/shared/workflow"
)

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
	if !campaign.ValidName(name) {
		return workflow.ExecutionInput{}, &workflow.InvalidCampaign{Message: fmt.Sprintf("%q is not the name of a campaign: use 1 to 64 of a-z, 0-9 and -, the first no -; %s", name, example)}
	}
	return workflow.ExecutionInput{Campaign: name}, nil
}
