package main

import (
	"encoding/json"
	"strings"
	"testing"

	"fanmail/shared/workflow"
)

func TestTheExecutionsInputMayBeAnyJSON(t *testing.T) {
	for input, refused := range map[string]string{
		`{"campaign":"spring-sale"}`: "",
		`{}`:                         "",
		`null`:                       "",
		`"spring-sale"`:              "is a string and no JSON object",
		`["spring-sale"]`:            "is a list and no JSON object",
		`7`:                          "is a number and no JSON object",
		`true`:                       "is true or false and no JSON object",
	} {
		var in workflow.PrepareInput
		if err := json.Unmarshal([]byte(`{"input":`+input+`,"execution":"arn"}`), &in); err != nil {
			t.Fatal(err)
		}
		_, err := inputObject(in.Input)
		if refused == "" {
			if err != nil {
				t.Errorf("%s: %v", input, err)
			}
			continue
		}
		invalid, ok := err.(*workflow.InvalidCampaign)
		if !ok || !strings.Contains(invalid.Message, refused) || !strings.Contains(invalid.Message, `write {"campaign": "spring-sale"}`) {
			t.Errorf("%s: %T %v, want InvalidCampaign with %q", input, err, err, refused)
		}
	}
}
