package cloud

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// serviceIDs are the packages of the SDK with the names by which its errors, and so Calls, know their services.
var serviceIDs = map[string]string{
	"cloudformation": "CloudFormation", "lambda": "Lambda", "s3": "S3", "sfn": "SFN", "sts": "STS", "sqs": "SQS", "sesv2": "SESv2",
	"scheduler": "Scheduler", "transfermanager": "TransferManager",
}

// indirect are the calls that a library makes for one of ours.
var indirect = map[string][]string{
	"TransferManager.UploadObject": {"S3.PutObject", "S3.CreateMultipartUpload", "S3.UploadPart", "S3.CompleteMultipartUpload", "S3.AbortMultipartUpload"},
}

// TestCallsAreThoseOfTheCode reads the source: every method that is called on a client of Cloud, and every paginator.
func TestCallsAreThoseOfTheCode(t *testing.T) {
	made := map[string]bool{}
	add := func(service, operation string) {
		call := service + "." + operation
		if calls, ok := indirect[call]; ok {
			for _, call := range calls {
				made[call] = true
			}
			return
		}
		made[call] = true
	}
	files := sources(t)
	clients := map[string]string{}
	for _, file := range files {
		addClients(t, file, clients)
	}
	if len(clients) == 0 {
		t.Fatal("Cloud has no clients")
	}
	inspect := func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch on := method.X.(type) {
		case *ast.SelectorExpr: // c.sts.GetCallerIdentity
			if service := clients[on.Sel.Name]; service != "" {
				add(service, method.Sel.Name)
			}
		case *ast.Ident: // cloudformation.NewDescribeStacksPaginator
			operation, isNew := strings.CutPrefix(method.Sel.Name, "New")
			operation, pages := strings.CutSuffix(operation, "Paginator")
			if service := serviceIDs[on.Name]; service != "" && isNew && pages {
				add(service, operation)
			}
		}
		return true
	}
	for _, file := range files {
		ast.Inspect(file, inspect)
	}
	listed := map[string]bool{}
	for _, call := range Calls {
		listed[call.Operation] = true
	}
	for _, call := range slices.Sorted(maps.Keys(made)) {
		if !listed[call] {
			t.Errorf("the code calls %s, which is not in Calls", call)
		}
	}
	for _, call := range slices.Sorted(maps.Keys(listed)) {
		if !made[call] {
			t.Errorf("Calls has %s, which the code does not call", call)
		}
	}
}

// sources are the files of the package.
func sources(t *testing.T) []*ast.File {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// addClients adds the fields of Cloud that are clients, with their services.
func addClients(t *testing.T, file *ast.File, clients map[string]string) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Cloud" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			pointer, ok := field.Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			kind, ok := pointer.X.(*ast.SelectorExpr)
			if !ok || kind.Sel.Name != "Client" {
				continue
			}
			name := kind.X.(*ast.Ident).Name
			if serviceIDs[name] == "" {
				t.Errorf("a client of the package %s: give it a name in serviceIDs", name)
			}
			for _, n := range field.Names {
				clients[n.Name] = serviceIDs[name]
			}
		}
		return true
	})
}

func TestEveryCallIsDescribed(t *testing.T) {
	action := regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+$`)
	for _, call := range Calls {
		if !action.MatchString(call.Action) || call.Resource == "" || len(call.Verbs) == 0 || !slices.IsSorted(call.Verbs) {
			t.Errorf("%+v", call)
		}
	}
}
