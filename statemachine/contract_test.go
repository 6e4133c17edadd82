package statemachine

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// contract is everything that has to agree: the definition, the functions as they are deployed, and the code.
type contract struct {
	machine   machine
	functions map[string]function
	// folders are the keys under lambdas/ that have a main.go.
	folders []string
	// handlers are the signatures of the handlers in those folders.
	handlers map[string]signature
	source   source
	// terminal are the errors that README.md says end the campaign as failed, unmet those that it says no state meets.
	terminal, unmet []string
	readme          string
	// code is the Go code of each folder.
	code map[string]string
}

// function is a function of shared/deployment/functions.yml.
type function struct {
	// Timeout is in seconds.
	Timeout int `yaml:"timeout"`
}

func TestDefinitionAndCodeAgree(t *testing.T) {
	c := load(t, readTexts(t))
	for _, name := range sortedKeys(rules) {
		t.Run(name, func(t *testing.T) {
			wrong := rules[name](c)
			slices.Sort(wrong)
			for _, breach := range wrong {
				t.Error(breach)
			}
		})
	}
}

// texts are the files that a contract is read from, so that a test can break one of them.
type texts struct {
	definition, types, errors, functions, readme string
	// handlers are the Go files of each folder under lambdas/ that has a main.go.
	handlers map[string][]string
}

func readTexts(t *testing.T) texts {
	t.Helper()
	in := texts{
		definition: string(Definition),
		types:      readFile(t, "../shared/workflow/workflow.go"),
		errors:     readFile(t, "../shared/workflow/errors.go"),
		functions:  readFile(t, "../shared/deployment/functions.yml"),
		readme:     readFile(t, "README.md"),
		handlers:   map[string][]string{},
	}
	mains, err := filepath.Glob("../lambdas/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, main := range mains {
		folder := filepath.Dir(main)
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			in.handlers[filepath.Base(folder)] = append(in.handlers[filepath.Base(folder)], readFile(t, file))
		}
	}
	return in
}

// Rows of README.md's table of errors for errors that no Retry or Catch names.
var (
	terminalRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ends the campaign as failed")
	unmetRow    = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| never meets it")
)

func load(t *testing.T, in texts) contract {
	t.Helper()
	c := contract{handlers: map[string]signature{}, code: map[string]string{}, readme: in.readme}
	var err error
	if c.machine, err = parseMachine([]byte(in.definition)); err != nil {
		t.Fatal(err)
	}
	if c.source, err = parseSource(in.types, in.errors); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(in.functions), &c.functions); err != nil {
		t.Fatal(err)
	}
	for _, row := range terminalRow.FindAllStringSubmatch(in.readme, -1) {
		c.terminal = append(c.terminal, row[1])
	}
	for _, row := range unmetRow.FindAllStringSubmatch(in.readme, -1) {
		c.unmet = append(c.unmet, row[1])
	}
	for folder, files := range in.handlers {
		c.folders = append(c.folders, folder)
		c.code[folder] = strings.Join(files, "\n")
		for _, file := range files {
			found, ok, err := parseSignature(file)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				c.handlers[folder] = found
			}
		}
	}
	return c
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
