package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fanmail/cmd/fanmail/internal/cloud"
)

func readDocs(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var iamAction = regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+$`)

func TestTheOperatorMayDoWhatTheCommandsDoAndNoMore(t *testing.T) {
	allowed, called := operatorActions(t), map[string]bool{}
	for _, call := range cloud.Calls {
		called[call.Action] = true
		if !slices.Contains(allowed, call.Action) {
			t.Errorf("the policy in docs/aws.md lacks %s", call.Action)
		}
	}
	for _, given := range allowed {
		if !called[given] {
			t.Errorf("the policy in docs/aws.md allows %s, which no command calls", given)
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

func TestTheOperationsPageHasEveryEndOfACampaign(t *testing.T) {
	page := readDocs(t, "operations.md")
	for _, state := range constantsOf(t, "../../shared/ledger/model.go", "CampaignState") {
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
