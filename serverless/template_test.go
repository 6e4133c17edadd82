// Package serverless holds the compiled templates of the deployment against the code that they deploy. It has no
// code of its own: the parts of serverless.yml are in this folder.
package serverless

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fanmail/shared/deployment"
)

// object is a JSON object of a template.
type object map[string]any

func (o object) text(key string) string    { v, _ := o[key].(string); return v }
func (o object) object(key string) object  { v, _ := o[key].(map[string]any); return v }
func (o object) number(key string) float64 { v, _ := o[key].(float64); return v }
func (o object) has(key string) bool       { _, ok := o[key]; return ok }

func (o object) objects(key string) (l []object) {
	items, _ := o[key].([]any)
	for _, item := range items {
		v, _ := item.(map[string]any)
		l = append(l, v)
	}
	return l
}

// texts are the texts of a list; a text that stands where a list may is a list of one.
func (o object) texts(key string) (l []string) {
	if text, ok := o[key].(string); ok {
		return []string{text}
	}
	items, _ := o[key].([]any)
	for _, item := range items {
		v, _ := item.(string)
		l = append(l, v)
	}
	return l
}

type resource struct {
	Type       string
	Properties object
	DependsOn  []string
	// DeletionPolicy and UpdateReplacePolicy say what happens to what the resource holds.
	DeletionPolicy, UpdateReplacePolicy string
}

// variant is a compiled template, the parameters that it was made with, and what it must agree with.
type variant struct {
	name       string
	parameters map[string]string
	Resources  map[string]resource
	Outputs    map[string]struct{ Value any }

	functions []deployment.Function
	queues    []deployment.Queue
	code      map[string]code
	metrics   []string
}

const stage = "dev"

// parameter is the value of a parameter, or its default in serverless.yml.
func (v variant) parameter(name, otherwise string) string {
	if value, ok := v.parameters[name]; ok {
		return value
	}
	return otherwise
}

func (v variant) auth() string { return v.parameter("databaseAuth", "secret") }
func (v variant) inVPC() bool  { return v.parameter("subnetIds", "") != "" }

func (v variant) properties(name string) object { return v.Resources[name].Properties }

func (v variant) each(kind string, visit func(name string, r resource)) {
	for _, name := range sortedKeys(v.Resources) {
		if r := v.Resources[name]; r.Type == kind {
			visit(name, r)
		}
	}
}

// readVariants reads the template of each variant in variants.txt.
func readVariants(t *testing.T) (variants []variant, texts map[string]string) {
	t.Helper()
	folder := os.Getenv("FANMAIL_VARIANTS")
	if folder == "" {
		t.Skip("make package makes the templates and runs this test on them")
	}
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	queues, err := deployment.Queues()
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]code{}
	for _, f := range functions {
		codes[f.Key] = readCode(t, f.Key)
	}
	texts = map[string]string{}
	for line := range strings.Lines(readFile(t, "variants.txt")) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		v := variant{
			name:       fields[0],
			parameters: map[string]string{},
			functions:  functions,
			queues:     queues,
			code:       codes,
			metrics:    readMetrics(t),
		}
		for _, field := range fields[1:] {
			name, value, _ := strings.Cut(field, "=")
			v.parameters[name] = value
		}
		if senders := v.parameters["senders"]; senders != "" {
			v.functions = withSenders(t, functions, senders)
		} else if v.parameters["reservedConcurrency"] == "account" {
			v.functions = withSenders(t, functions, "5")
		}
		texts[v.name] = readFile(t, filepath.Join(folder, v.name+".json"))
		if err := json.Unmarshal([]byte(texts[v.name]), &v); err != nil {
			t.Fatal(err)
		}
		variants = append(variants, v)
	}
	if len(variants) == 0 {
		t.Fatal("variants.txt has no variant")
	}
	return variants, texts
}

func withSenders(t *testing.T, functions []deployment.Function, text string) []deployment.Function {
	t.Helper()
	senders, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := deployment.WithSenders(functions, senders)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// render writes a reference or a resource name as one text: ${Name}, ${Name.Arn}, or the text of an Fn::Sub.
func render(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	m, _ := value.(map[string]any)
	o := object(m)
	switch attribute := o.texts("Fn::GetAtt"); {
	case o.has("Ref"):
		return "${" + o.text("Ref") + "}"
	case o.has("Fn::Sub"):
		return o.text("Fn::Sub")
	case len(attribute) == 2:
		return "${" + strings.Join(attribute, ".") + "}"
	}
	return fmt.Sprint(value)
}

// rendered are the texts of a list, or of one value.
func rendered(value any) (l []string) {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	for _, item := range items {
		l = append(l, render(item))
	}
	return l
}

// logicalName is what the Serverless Framework calls a function in the template.
func logicalName(key string) string { return titled(key) + "LambdaFunction" }

func titled(key string) string { return strings.ToUpper(key[:1]) + key[1:] }
