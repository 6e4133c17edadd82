package main

import (
	"strings"
	"testing"

	"fanmail/shared/workflow"
)

func TestTheExecutionsInputIsReadStrictly(t *testing.T) {
	for _, test := range []struct {
		name string
		in   map[string]any
		// want is the campaign, or what the error must say.
		want, refused string
	}{
		{"a name", map[string]any{"campaign": "spring-sale"}, "spring-sale", ""},
		{"one character", map[string]any{"campaign": "7"}, "7", ""},
		{"64 characters", map[string]any{"campaign": strings.Repeat("a", 64)}, strings.Repeat("a", 64), ""},
		{"started by another execution", map[string]any{"campaign": "a", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn"}, "a", ""},
		{"started by a schedule", map[string]any{"campaign": "a", "aws.scheduler.attempt": "1"}, "a", ""},
		{"nothing", nil, "", "has no campaign"},
		{"null", map[string]any{"campaign": nil}, "", "has no campaign"},
		{"a number", map[string]any{"campaign": 7.0}, "", "has no campaign"},
		{"a misspelt key", map[string]any{"campain": "spring-sale"}, "", "unknown fields: campain;"},
		{"several unknown keys", map[string]any{"campaign": "a", "rate": 5.0, "dryRun": true}, "", "unknown fields: dryRun, rate;"},
		{"keys are case-sensitive", map[string]any{"Campaign": "a"}, "", "unknown fields: Campaign;"},
		{"empty", map[string]any{"campaign": ""}, "", `"" is not the name`},
		{"65 characters", map[string]any{"campaign": strings.Repeat("a", 65)}, "", "use 1 to 64"},
		{"upper case", map[string]any{"campaign": "Spring"}, "", `"Spring" is not the name`},
		{"another folder", map[string]any{"campaign": "../reports"}, "", "is not the name"},
		{"a line break", map[string]any{"campaign": "a\n"}, "", "is not the name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := executionInput(test.in)
			if test.refused == "" {
				if err != nil || got.Campaign != test.want {
					t.Errorf("got %+v, %v; want %s", got, err, test.want)
				}
				return
			}
			// Every refusal shows how to write it.
			invalid, ok := err.(*workflow.InvalidCampaign)
			if !ok || !strings.Contains(invalid.Message, test.refused) || !strings.Contains(invalid.Message, `write {"campaign": "spring-sale"}`) {
				t.Errorf("got %T %v, want InvalidCampaign with %q", err, err, test.refused)
			}
		})
	}
}
