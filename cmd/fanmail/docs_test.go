package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func readDocs(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// callsFile lists the calls of AWS that the CLI makes, each with its IAM action.
const callsFile = "internal/cloud/calls.go"

// iamAction is what the constants of that file look like that are actions: s3:GetObject.
var iamAction = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+$`)

func TestTheOperatorMayDoWhatTheCommandsDoAndNoMore(t *testing.T) {
	allowed := operatorActions(t)
	file, err := parser.ParseFile(token.NewFileSet(), callsFile, nil, 0)
	if errors.Is(err, fs.ErrNotExist) {
		// Until the list is there, the calls themselves say what is needed.
		for _, needed := range calledActions(t) {
			if !slices.Contains(allowed, needed) {
				t.Errorf("the policy in docs/aws.md lacks %s", needed)
			}
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var called []string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil && iamAction.MatchString(text) {
				called = append(called, text)
			}
		}
		return true
	})
	if len(called) == 0 {
		t.Fatalf("%s has no IAM action", callsFile)
	}
	for _, needed := range called {
		if !slices.Contains(allowed, needed) {
			t.Errorf("the policy in docs/aws.md lacks %s, which %s has", needed, callsFile)
		}
	}
	for _, given := range allowed {
		if !slices.Contains(called, given) {
			t.Errorf("the policy in docs/aws.md allows %s, which %s has not", given, callsFile)
		}
	}
}

// operatorActions are the actions of the JSON that stands below the mark in docs/aws.md.
func operatorActions(t *testing.T) []string {
	t.Helper()
	_, after, found := strings.Cut(readDocs(t, "aws.md"), "<!-- operator -->\n```json\n")
	text, _, closed := strings.Cut(after, "\n```")
	if !found || !closed {
		t.Fatal("docs/aws.md has no JSON below <!-- operator -->")
	}
	var policy struct {
		Statement []struct {
			Effect   string
			Action   any
			Resource any
		}
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range policy.Statement {
		if s.Effect != "Allow" || s.Resource == nil {
			t.Errorf("a statement has the effect %q and the resource %v", s.Effect, s.Resource)
		}
		switch actions := s.Action.(type) {
		case string:
			all = append(all, actions)
		case []any:
			for _, a := range actions {
				all = append(all, a.(string))
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("the policy allows nothing")
	}
	for _, a := range all {
		if !iamAction.MatchString(a) {
			t.Errorf("%s is not one action", a)
		}
	}
	return all
}

// actionsOf are the IAM actions of the SDK's operations whose names differ from them.
var actionsOf = map[string][]string{
	"s3.HeadObject":         {"s3:GetObject", "s3:ListBucket"},
	"s3.GetObject":          {"s3:GetObject", "s3:ListBucket"},
	"transfer.UploadObject": {"s3:PutObject", "s3:AbortMultipartUpload"},
	"sfn.StartExecution":    {"states:StartExecution"},
	"sfn.DescribeExecution": {"states:DescribeExecution"},
	"functions.Invoke":      {"lambda:InvokeFunction"},
}

// calledActions are those of the calls that the methods of Cloud make by its clients: c.s3.GetObject.
func calledActions(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "internal/cloud/cloud.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		client, ok := method.X.(*ast.SelectorExpr)
		if root, isName := selectorRoot(client); !ok || !isName || root != "c" {
			return true
		}
		name := client.Sel.Name + "." + method.Sel.Name
		if actionsOf[name] == nil {
			t.Errorf("%s: no IAM action is known for it", name)
		}
		all = append(all, actionsOf[name]...)
		return true
	})
	if len(all) == 0 {
		t.Fatal("found no call")
	}
	return all
}

func selectorRoot(s *ast.SelectorExpr) (string, bool) {
	if s == nil {
		return "", false
	}
	name, ok := s.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	return name.Name, true
}

func TestTheOperationsPageHasEveryEndOfACampaign(t *testing.T) {
	page := readDocs(t, "operations.md")
	states := constantsOf(t, "../../shared/ledger/model.go", "CampaignState")
	for _, state := range append(states, "interrupted") {
		if !strings.Contains(page, "| `"+state+"` |") {
			t.Errorf("docs/operations.md lacks the state %s", state)
		}
	}
	for _, name := range errorTypes(t, "../../shared/workflow/errors.go") {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/operations.md lacks the error %s", name)
		}
	}
}

// constantsOf are the texts of a type's constants.
func constantsOf(t *testing.T, path, typeName string) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != typeName {
			return true
		}
		for _, value := range spec.Values {
			if literal, ok := value.(*ast.BasicLit); ok {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, text)
			}
		}
		return true
	})
	if len(all) == 0 {
		t.Fatalf("%s has no constant of the type %s", path, typeName)
	}
	return all
}

// errorTypes are the struct types of a file that carry nothing but a message.
func errorTypes(t *testing.T, path string) (all []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if _, isStruct := spec.Type.(*ast.StructType); isStruct && spec.Name.IsExported() {
				all = append(all, spec.Name.Name)
			}
		}
		return true
	})
	if len(all) == 0 {
		t.Fatalf("%s has no error", path)
	}
	return all
}

// alarmsFile is the part of the deployment that makes the alarms.
const alarmsFile = "../../serverless/alarms.js"

var alarmName = regexp.MustCompile(`(?m)^ +([A-Z][A-Za-z]+Alarm): \{`)

func TestTheOperationsPageHasEveryAlarm(t *testing.T) {
	source, err := os.ReadFile(alarmsFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("%s is not there: this deployment makes no alarms", alarmsFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	page := readDocs(t, "operations.md")
	var names []string
	for _, m := range alarmName.FindAllStringSubmatch(string(source), -1) {
		names = append(names, m[1])
		if !strings.Contains(page, "\n### "+m[1]+"\n") {
			t.Errorf("docs/operations.md lacks %s", m[1])
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s has no alarm", alarmsFile)
	}
	for _, m := range regexp.MustCompile(`(?m)^### ([A-Za-z]+Alarm)$`).FindAllStringSubmatch(page, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("docs/operations.md has %s, which the deployment does not make", m[1])
		}
	}
}
