package fanmail

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// directions says what may not import what. A path covers the packages below it too.
var directions = []struct {
	from, to string
	// exceptTests are packages that the tests of from may import.
	exceptTests []string
	why         string
}{
	{from: "shared", to: "local", exceptTests: forTests, why: "production code does not know where it runs"},
	{from: "shared", to: "lambdas", why: "imports go lambdas -> shared"},
	{from: "shared", to: "cmd", why: "imports go cmd -> shared"},
	{from: "lambdas", to: "local", exceptTests: forTests, why: "production code does not know where it runs"},
	{from: "lambdas", to: "cmd", why: "imports go lambdas -> shared"},
	{from: "local", to: "lambdas", why: "the local runtime runs the functions as processes, from their binaries"},
	{from: "local", to: "cmd", why: "imports go cmd -> local"},
	{from: "cmd", to: "lambdas", why: "the command line reaches the functions through AWS's interfaces"},
	{from: "experiment", to: "lambdas", why: "an experiment runs the functions as processes, from their binaries"},
	{from: "experiment", to: "cmd", why: "imports go experiment -> local"},
	{from: "shared", to: "experiment", why: experimental},
	{from: "lambdas", to: "experiment", why: experimental},
	{from: "local", to: "experiment", why: experimental},
	{from: "cmd", to: "experiment", why: experimental},
}

// holders are all that may import shared/database: the functions, whose connections are counted, and what only they use. A
// folder that is not here, even a new one, holds no connection that the bound does not know.
var holders = []string{"lambdas", "shared/database", "shared/function", "shared/ledger"}

const holdersWhy = "only the functions hold one of the bounded connections"

// checkers hold what is deployed against the code, by its files. They import shared/ and statemachine/ alone, and nothing
// imports them.
var checkers = []string{"serverless", "deploytest"}

const (
	checkersWhy = "what checks the deployment reads files and runs programs"
	checkedWhy  = "nothing needs what checks the deployment"
)

// experimental is what experiment/ is: its naive sender must never be a part of Fanmail.
const experimental = "what an experiment is made of is no part of the product"

// forTests are the stand-ins that tests of production code run against.
var forTests = []string{"local/postgres", "local/s3", "local/ses", "local/stepfunctions"}

func TestImportsGoOneWay(t *testing.T) {
	imports, err := readImports(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(imports) == 0 {
		t.Fatal("found no Go file")
	}
	for _, breach := range breaches(imports) {
		t.Error(breach)
	}
}

func TestOnlyTheFunctionsImportTheDatabase(t *testing.T) {
	for _, file := range []string{"cmd/fanmail/main.go", "local/runtime.go", "experiment/accident/main.go", "shared/planner/decide.go", "tools/new.go", "main.go"} {
		if got := breaches(map[string][]string{file: {"fanmail/shared/database"}}); len(got) != 1 || !strings.HasSuffix(got[0], holdersWhy) {
			t.Errorf("%s imports the database: got %q", file, got)
		}
	}
}

func TestEachDirectionSeesItsBreach(t *testing.T) {
	for _, d := range directions {
		for _, file := range []string{d.from + "/some/thing.go", d.from + "/some/thing_test.go"} {
			got := breaches(map[string][]string{file: {"fanmail/" + d.to + "/deep"}})
			if len(got) != 1 || !strings.HasPrefix(got[0], file+" imports fanmail/"+d.to+"/deep: ") {
				t.Errorf("%s imports %s: got %q", file, d.to, got)
			}
		}
		for _, allowed := range d.exceptTests {
			if got := breaches(map[string][]string{d.from + "/a_test.go": {"fanmail/" + allowed}}); got != nil {
				t.Errorf("a test may import %s: got %q", allowed, got)
			}
			if got := breaches(map[string][]string{d.from + "/a.go": {"fanmail/" + allowed}}); len(got) != 1 {
				t.Errorf("only a test may import %s: got %q", allowed, got)
			}
		}
	}
	fine := map[string][]string{
		"lambdas/send/main.go": {"fanmail/shared/database", "context"}, "cmd/fanmail/main.go": {"fanmail/local", "fanmail/shared/campaign"},
		"local/ses/ses.go": {"fanmail/shared/databases", "localhost"}, "shared/ledger/claim.go": {"fanmail/shared/database"},
	}
	if got := breaches(fine); got != nil {
		t.Errorf("these imports are fine: got %q", got)
	}
}

func TestEachDirectionOfTheCheckersSeesItsBreach(t *testing.T) {
	for _, checker := range checkers {
		file, fine := checker+"/thing_test.go", []string{"fanmail/shared/deployment", "fanmail/statemachine", "fanmail/" + checker}
		if got := breaches(map[string][]string{file: fine}); got != nil {
			t.Errorf("%s may import %q: got %q", checker, fine, got)
		}
		for _, tree := range []string{"lambdas", "local", "cmd", "experiment", "examples", "tools"} {
			got := breaches(map[string][]string{file: {"fanmail/" + tree + "/deep"}})
			if len(got) != 1 || !strings.HasSuffix(got[0], checkersWhy) {
				t.Errorf("%s imports %s: got %q", checker, tree, got)
			}
			got = breaches(map[string][]string{tree + "/thing.go": {"fanmail/" + checker}})
			if len(got) != 1 || !strings.HasSuffix(got[0], checkedWhy) {
				t.Errorf("%s imports %s: got %q", tree, checker, got)
			}
		}
	}
}

// breaches are the imports against the directions, sorted. Imports are given for each file, named from the module's root.
func breaches(imports map[string][]string) (found []string) {
	for file, paths := range imports {
		for _, path := range paths {
			target, ours := strings.CutPrefix(path, "fanmail/")
			if ours && covers("shared/database", target) && !slices.ContainsFunc(holders, func(tree string) bool { return covers(tree, file) }) {
				found = append(found, fmt.Sprintf("%s imports %s: %s", file, path, holdersWhy))
			}
			for _, checker := range checkers {
				switch from, to := covers(checker, file), covers(checker, target); {
				case !ours || from == to:
				case to:
					found = append(found, fmt.Sprintf("%s imports %s: %s", file, path, checkedWhy))
				case !covers("shared", target) && !covers("statemachine", target):
					found = append(found, fmt.Sprintf("%s imports %s: %s", file, path, checkersWhy))
				}
			}
			for _, d := range directions {
				if !ours || !covers(d.from, file) || !covers(d.to, target) ||
					strings.HasSuffix(file, "_test.go") && slices.ContainsFunc(d.exceptTests, func(tree string) bool { return covers(tree, target) }) {
					continue
				}
				found = append(found, fmt.Sprintf("%s imports %s: %s", file, path, d.why))
			}
		}
	}
	slices.Sort(found)
	return found
}

func covers(tree, path string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

// readImports reads the imports of all Go files below root, whatever system they are built for.
func readImports(root string) (map[string][]string, error) {
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || len(entry.Name()) > 1 && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[filepath.ToSlash(path)] = append(imports[filepath.ToSlash(path)], name)
		}
		return nil
	})
	return imports, err
}
