package main

import (
	"fmt"
	"slices"
	"strings"

	"fanmail/shared/campaign"
	"fanmail/shared/schedule"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// executionInput reads the input of the execution strictly. EventBridge Scheduler may add keys that start with "aws"
// or "AWS"; Step Functions adds AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.
func executionInput(in map[string]any) (workflow.ExecutionInput, error) {
	var unknown []string
	for key := range in {
		if !slices.Contains([]string{"campaign", "folder", "scheduledTime"}, key) && !strings.HasPrefix(strings.ToUpper(key), "AWS") {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		return workflow.ExecutionInput{}, badInput("the execution's input has unknown fields: %s",
			strings.Join(unknown, ", "))
	}
	name, ok := in["campaign"].(string)
	if !ok {
		return workflow.ExecutionInput{}, badInput("the execution's input has no campaign")
	}
	if !campaign.ValidName(name) {
		return workflow.ExecutionInput{}, badInput("%q is not the name of a campaign: use 1 to 64 of a-z, 0-9 and -, the first no -",
			name)
	}
	out := workflow.ExecutionInput{Campaign: name}
	for key, field := range map[string]*string{"folder": &out.Folder, "scheduledTime": &out.ScheduledTime} {
		value, given := in[key]
		if *field, ok = value.(string); given && (!ok || *field == "") {
			return workflow.ExecutionInput{}, badInput("%s of the execution's input must be a text that is not empty, or be left out",
				key)
		}
	}
	switch {
	case out.Folder != "" && out.ScheduledTime != "":
		return workflow.ExecutionInput{}, badInput("the execution's input has a folder and a scheduledTime: a run reads campaigns/%s",
			name)
	case out.Folder != "" && !storage.MayRead(name, out.Folder):
		return workflow.ExecutionInput{}, badInput("the folder %q of the execution's input must be %s, or %s/ and an id",
			out.Folder, storage.CampaignFolder(name), storage.FrozenFolder(name, ""))
	case out.ScheduledTime != "" && len(name) > schedule.MaxRecurringName:
		return workflow.ExecutionInput{}, badInput("%q is too long for a recurring schedule: its runs are named with their time, so use up to %d characters",
			name, schedule.MaxRecurringName)
	}
	return out, nil
}

func badInput(format string, args ...any) error {
	return &workflow.InvalidCampaign{Message: fmt.Sprintf(format, args...) + `; write {"campaign": "spring-sale"}`}
}
