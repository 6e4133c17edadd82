package statemachine

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTemplateDeploysThisDefinition holds the CloudFormation template that `make package` has just made against the
// definition: the plugin that makes it must change nothing but the names of the functions.
func TestTemplateDeploysThisDefinition(t *testing.T) {
	resources := readTemplate(t)
	var names []string
	for name, resource := range resources {
		if resource.Type == "AWS::StepFunctions::StateMachine" {
			names = append(names, name)
		}
	}
	if len(names) != 1 {
		t.Fatalf("the template has the state machines %v, want one", names)
	}
	deployed, err := deployedDefinition(resources[names[0]].Properties)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(Definition, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, deployed); diff != "" {
		t.Errorf("the deployed definition differs (- campaign.asl.json, + template):\n%s", diff)
	}
}

func TestTemplateBoundsEveryFunction(t *testing.T) {
	resources := readTemplate(t)
	functions := load(t, readTexts(t)).functions
	if len(functions) == 0 {
		t.Fatal("functions.yml has no function")
	}
	for key, f := range functions {
		properties := resources[logicalName(key)].Properties
		if got := properties.number("ReservedConcurrentExecutions"); got < 1 {
			t.Errorf("function %s has no reserved concurrency", key)
		}
		if got := properties.number("Timeout"); got != float64(f.Timeout) {
			t.Errorf("function %s has the timeout %v s, want %d s", key, got, f.Timeout)
		}
		if got := properties.text("Runtime"); got != "provided.al2023" {
			t.Errorf("function %s runs on %q, want provided.al2023", key, got)
		}
	}
	planned := resources["PlanLambdaFunction"].Properties.object("Environment").object("Variables").text("FANMAIL_SENDERS")
	reserved := fmt.Sprint(resources["SendLambdaFunction"].Properties.number("ReservedConcurrentExecutions"))
	if planned != reserved {
		t.Errorf("plan counts on %q senders, but send has a concurrency of %s", planned, reserved)
	}
}

type resource struct {
	Type       string
	Properties state
	DependsOn  []string
}

func readTemplate(t *testing.T) map[string]resource {
	t.Helper()
	name := os.Getenv("FANMAIL_TEMPLATE")
	if name == "" {
		t.Skip("make package makes the template and runs this test on it")
	}
	var template struct{ Resources map[string]resource }
	if err := json.Unmarshal([]byte(readFile(t, name)), &template); err != nil {
		t.Fatal(err)
	}
	return template.Resources
}

// deployedDefinition reads the definition of a state machine in a template: {"Fn::Sub": [text, {name: reference}]}, with
// ${name} in the text for each function. Here every such name becomes the reference that campaign.asl.json has.
func deployedDefinition(properties state) (map[string]any, error) {
	parts, _ := properties.object("DefinitionString")["Fn::Sub"].([]any)
	if len(parts) != 2 {
		return nil, fmt.Errorf("DefinitionString is not an Fn::Sub with a text and its names")
	}
	text, _ := parts[0].(string)
	references, _ := parts[1].(map[string]any)
	for name, raw := range references {
		reference, _ := raw.(map[string]any)
		attribute := state(reference).texts("Fn::GetAtt")
		if len(attribute) != 2 || attribute[1] != "Arn" || !strings.HasSuffix(attribute[0], "LambdaFunction") {
			return nil, fmt.Errorf("the definition refers to %v, which is no function", raw)
		}
		key := strings.ToLower(strings.TrimSuffix(attribute[0], "LambdaFunction"))
		text = strings.ReplaceAll(text, `"${`+name+`}"`, `{"Fn::GetAtt": ["`+key+`", "Arn"]}`)
	}
	var definition map[string]any
	if err := json.Unmarshal([]byte(text), &definition); err != nil {
		return nil, fmt.Errorf("reading the deployed definition: %w", err)
	}
	return definition, nil
}

// logicalName is what the Serverless Framework calls a function in the template.
func logicalName(key string) string { return strings.ToUpper(key[:1]) + key[1:] + "LambdaFunction" }
