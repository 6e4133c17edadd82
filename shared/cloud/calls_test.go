package cloud_test

import (
	"cmp"
	"fmt"
	"go/types"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/deployment"
)

// An action is called as the service and the operation, but for these.
var (
	otherServices = map[string]string{"sesv2": "ses", "sfn": "states"}
	otherActions  = map[string]string{"s3:ListObjectsV2": "s3:ListBucket", "transfermanager:UploadObject": "s3:PutObject"}
)

// notCalled are permissions without a call: S3 answers NoSuchKey for a missing object only to those who may list the
// bucket.
var notCalled = map[string][]string{"prepare": {"s3:ListBucket"}}

// polling is what Lambda's pollers do with the role of a function that has an event source.
var polling = []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

const sdk = "github.com/aws/aws-sdk-go-v2/"

// actionOf is the IAM action of a function or method of the SDK, or of an interface that has one: it takes the
// operation's input.
func actionOf(f *types.Func) (action string, ok bool) {
	if f.Name() == "BuildAuthToken" && f.Pkg().Path() == sdk+"feature/rds/auth" {
		return "rds-db:connect", true
	}
	for parameter := range f.Signature().Params().Variables() {
		pointer, isPointer := parameter.Type().(*types.Pointer)
		if !isPointer {
			continue
		}
		input, isNamed := pointer.Elem().(*types.Named)
		if !isNamed || input.Obj().Pkg() == nil || !strings.HasPrefix(input.Obj().Pkg().Path(), sdk) {
			continue
		}
		operation, isInput := strings.CutSuffix(input.Obj().Name(), "Input")
		if !isInput {
			continue
		}
		service := input.Obj().Pkg().Name()
		action = cmp.Or(otherServices[service], service) + ":" + operation
		return cmp.Or(otherActions[action], action), true
	}
	return "", false
}

var row = regexp.MustCompile(`^//\t([a-z0-9-]+:[A-Za-z]+) {2,}([a-z]+(?:, [a-z]+)*) {2,}\S`)

// table is the list of calls of the package: the actions of each function.
func table(text string, functions []string) map[string][]string {
	actions := map[string][]string{}
	for line := range strings.Lines(text) {
		match := row.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		by := strings.Split(match[2], ", ")
		if match[2] == "all" {
			by = functions
		}
		for _, function := range by {
			actions[function] = append(actions[function], match[1])
		}
	}
	for function := range actions {
		slices.Sort(actions[function])
	}
	return actions
}

// differences holds the table against what the functions call.
func differences(listed, called map[string][]string) (found []string) {
	for function, actions := range listed {
		for _, action := range actions {
			if !slices.Contains(called[function], action) {
				found = append(found, fmt.Sprintf("the table says that %s calls %s, and it does not", function, action))
			}
		}
	}
	for function, actions := range called {
		for _, action := range actions {
			if !slices.Contains(listed[function], action) {
				found = append(found, fmt.Sprintf("%s calls %s, which is not in the table", function, action))
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestTheTableHasTheCallsOfEachFunction(t *testing.T) {
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	code := readCode(t)
	var keys []string
	called := map[string][]string{}
	for _, f := range functions {
		keys = append(keys, f.Key)
		actions := map[string]bool{}
		for used := range code.reach(module + "lambdas/" + f.Key) {
			if action, ok := actionOf(used); ok {
				actions[action] = true
			}
		}
		called[f.Key] = append(slices.Collect(maps.Keys(actions)), notCalled[f.Key]...)
		if f.EventSource != nil {
			called[f.Key] = append(called[f.Key], polling...)
		}
	}
	text, err := os.ReadFile("cloud.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range differences(table(string(text), keys), called) {
		t.Error(difference)
	}
	// A table that lacks a call, or has one too many, is seen.
	for _, broken := range []struct{ old, new, want string }{
		{"plan, prepare, send ", "plan, prepare       ", "send calls s3:GetObject, which is not in the table"},
		{"//\tses:GetAccount ", "//\tses:GetAcount  ", "plan calls ses:GetAccount, which is not in the table"},
		{"finish, plan, prepare ", "finish, plan, prepare, send ", "the table says that send calls s3:PutObject, and it does not"},
		{"//\trds-db:connect                 all", "//\trds-db:connect                 plan", "control calls rds-db:connect, which is not in the table"},
		{"//\tsqs:ReceiveMessage", "//\tsqs.ReceiveMessage", "events calls sqs:ReceiveMessage, which is not in the table"},
	} {
		if !strings.Contains(string(text), broken.old) {
			t.Fatalf("cloud.go has no %q", broken.old)
		}
		found := differences(table(strings.Replace(string(text), broken.old, broken.new, 1), keys), called)
		if !slices.Contains(found, broken.want) {
			t.Errorf("found %q, want %q", found, broken.want)
		}
	}
}
