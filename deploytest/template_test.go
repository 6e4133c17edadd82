package deploytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// template is a CloudFormation template, as much of it as these tests read.
type template struct {
	Resources map[string]resource
	Outputs   map[string]json.RawMessage
}

type resource struct {
	Type       string
	Properties map[string]any
}

// templates are the files that `make package` wrote: one for each variant of the deployment.
func templates(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(absolute(t, "bin", "variants"), "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("make package has left no templates in bin/variants (%v)", err)
	}
	return names
}

// defaultTemplate is the file of the variant with the parameters that serverless.yml needs at least.
func defaultTemplate(t *testing.T) string {
	return absolute(t, "bin", "variants", "public-secret.json")
}

func readTemplate(t *testing.T, name string) template {
	t.Helper()
	var read template
	if err := json.Unmarshal([]byte(readFile(t, name)), &read); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return read
}

// lintOptions: warnings are printed and fail nothing. Not every region has every resource.
var lintOptions = []string{
	"--non-zero-exit-code", "error", "--regions", "us-east-1", "eu-west-1", "ap-northeast-2", "--",
}

func TestCompiledTemplatesPassCfnLint(t *testing.T) {
	lint := python(t, "cfn-lint")
	names := templates(t)
	output, code := run(t, root, nil, lint, append(slices.Clone(lintOptions), names...)...)
	if code != 0 {
		t.Errorf("cfn-lint ended with code %d:\n%s", code, output)
	}
	t.Logf("cfn-lint read %d templates\n%s", len(names), output)
}

func TestCfnLintSeesABreach(t *testing.T) {
	lint := python(t, "cfn-lint")
	text := readFile(t, defaultTemplate(t))
	for _, breach := range []struct{ old, new, want string }{
		{`"provided.al2023"`, `"provided.al2999"`, "E3030"},
		{`"VisibilityTimeout"`, `"VisibilityTimeOut"`, "E3002"},
		{`"Ref": "EventsQueue"`, `"Ref": "NoQueue"`, "E1020"},
	} {
		if !strings.Contains(text, breach.old) {
			t.Errorf("the template has no %s", breach.old)
			continue
		}
		broken := filepath.Join(t.TempDir(), "broken.json")
		writeFile(t, broken, strings.Replace(text, breach.old, breach.new, 1))
		output, code := run(t, root, nil, lint, append(slices.Clone(lintOptions), broken)...)
		if code == 0 || !strings.Contains(output, breach.want) {
			t.Errorf("cfn-lint ended with code %d for %s, want %s:\n%s", code, breach.new, breach.want, output)
		}
	}
}

func TestCompiledDefinitionsPassTheValidator(t *testing.T) {
	needPackages(t)
	for _, name := range templates(t) {
		definition := compiledDefinition(t, readTemplate(t, name))
		if output, code := validate(t, definition); code != 0 {
			t.Errorf("%s: asl-validator ended with code %d:\n%s", filepath.Base(name), code, output)
		}
	}
}

func TestTheValidatorSeesABreach(t *testing.T) {
	needPackages(t)
	definition := compiledDefinition(t, readTemplate(t, defaultTemplate(t)))
	for _, breach := range [][2]string{
		{`"Next": "Plan"`, `"Next": "Plam"`}, {`"ToleratedFailurePercentage"`, `"ToleratedFailures"`},
	} {
		if !strings.Contains(definition, breach[0]) {
			t.Errorf("the definition has no %s", breach[0])
			continue
		}
		if output, code := validate(t, strings.Replace(definition, breach[0], breach[1], 1)); code == 0 {
			t.Errorf("asl-validator takes %s:\n%s", breach[1], output)
		}
	}
}

func validate(t *testing.T, definition string) (output string, code int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "definition.json")
	writeFile(t, file, definition)
	return run(t, root, nil, absolute(t, "node_modules", ".bin", "asl-validator"), "--json-path", file)
}

// compiledDefinition is the text that CloudFormation hands to Step Functions, with an ARN for each function.
func compiledDefinition(t *testing.T, compiled template) string {
	t.Helper()
	for _, r := range compiled.Resources {
		if r.Type != "AWS::StepFunctions::StateMachine" {
			continue
		}
		text, err := substituted(r.Properties["DefinitionString"])
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	t.Fatal("the template has no state machine")
	return ""
}

// substituted carries out an Fn::Sub with a text and its names, each of which is the ARN of a function or of its
// version.
func substituted(value any) (string, error) {
	call, _ := value.(map[string]any)
	parts, _ := call["Fn::Sub"].([]any)
	if len(parts) != 2 {
		return "", fmt.Errorf("%v is not an Fn::Sub with a text and its names", value)
	}
	text, _ := parts[0].(string)
	names, _ := parts[1].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		reference, _ := names[name].(map[string]any)
		function, _ := reference["Ref"].(string)
		if attribute, _ := reference["Fn::GetAtt"].([]any); len(attribute) == 2 && attribute[1] == "Arn" {
			function, _ = attribute[0].(string)
		}
		if !strings.Contains(function, "Lambda") || !strings.Contains(text, "${"+name+"}") {
			return "", fmt.Errorf("the definition has the name %s for %v, which is no function in it", name, names[name])
		}
		text = strings.ReplaceAll(text, "${"+name+"}", "arn:aws:lambda:us-east-1:123456789012:function:"+function)
	}
	if strings.Contains(text, "${") {
		return "", fmt.Errorf("the definition has names without a value")
	}
	return text, nil
}

// variables are those of a function in the default template, with a word for what CloudFormation works out.
func variables(t *testing.T, key string) []string {
	t.Helper()
	function, ok := readTemplate(t, defaultTemplate(t)).Resources[strings.ToUpper(key[:1])+key[1:]+"LambdaFunction"]
	if !ok {
		t.Fatalf("the template has no function %s", key)
	}
	environment, _ := function.Properties["Environment"].(map[string]any)
	values, _ := environment["Variables"].(map[string]any)
	var set []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch value := values[name].(type) {
		case map[string]any:
			set = append(set, name+"=made-by-cloudformation")
		default:
			set = append(set, fmt.Sprintf("%s=%v", name, value))
		}
	}
	return set
}

// keys are the functions: the folders of lambdas/ with a main program.
func keys(t *testing.T) []string {
	t.Helper()
	mains, err := filepath.Glob(filepath.Join(root, "lambdas", "*", "main.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("no function in lambdas/: %v", err)
	}
	for i, name := range mains {
		mains[i] = filepath.Base(filepath.Dir(name))
	}
	return mains
}
