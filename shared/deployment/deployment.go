// Package deployment reads functions.yml and queues.yml, where timeouts, memory, concurrency and event sources of the Lambda
// functions are written once for serverless.yml, the local runtime and whoever calculates with them.
package deployment

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"fanmail/shared/budget"
)

//go:embed functions.yml
var functionsYAML []byte

// Function is one Lambda function of the deployment.
type Function struct {
	// Key names the function: in functions.yml, in the state machine, and as its folder in lambdas/.
	Key string
	// Timeout is the limit on one invocation, in whole seconds, at most 15 minutes.
	Timeout time.Duration
	// MemorySize is in MiB.
	MemorySize int
	// ReservedConcurrency is the largest number of environments at work, and so of connections, at least 1.
	ReservedConcurrency int
	// Environment are the variables that only this function has, but for those that the deployment works out (${...}, or a
	// reference to a resource).
	Environment map[string]string
	// EventSource invokes the function with the messages of a queue; nil for a function that is invoked by name only.
	EventSource *EventSource
}

// Functions are the functions of the deployment, sorted by key, held against its queues.
func Functions() ([]Function, error) {
	functions, err := Parse(functionsYAML)
	if err != nil {
		return nil, err
	}
	queues, err := Queues()
	if err != nil {
		return nil, err
	}
	return functions, Check(functions, queues)
}

// MigrateKey is the function that brings the ledger's tables up to date.
const MigrateKey = "migrate"

// The sender function, and the variable by which Plan knows its reserved concurrency.
const (
	sendKey         = "send"
	sendersVariable = "FANMAIL_SENDERS"
)

// Bound is the largest number of PostgreSQL connections that the functions can hold: one per environment.
func Bound(functions []Function) int { return budget.Bound(Budget(functions)) }

// ConnectionLimit is the bound of the deployment, unless there is an override (FANMAIL_CONNECTION_LIMIT), as the local runtime gives
// when it runs another number of senders than functions.yml says.
func ConnectionLimit(override string) (int, error) {
	if override != "" {
		limit, err := strconv.Atoi(override)
		if err != nil || limit < 1 {
			return 0, fmt.Errorf("FANMAIL_CONNECTION_LIMIT is %q: write a number of connections, or leave it out for the bound of functions.yml", override)
		}
		return limit, nil
	}
	functions, err := Functions()
	if err != nil {
		return 0, err
	}
	return Bound(functions), nil
}

// Find is the function of a key, or one without a key.
func Find(functions []Function, key string) Function {
	i := slices.IndexFunc(functions, func(f Function) bool { return f.Key == key })
	if i < 0 {
		return Function{}
	}
	return functions[i]
}

// Senders is the reserved concurrency of the sender function.
func Senders(functions []Function) int { return Find(functions, sendKey).ReservedConcurrency }

// SendTimeout is the timeout of the sender function.
func SendTimeout(functions []Function) time.Duration { return Find(functions, sendKey).Timeout }

// WithSenders gives the sender function another reserved concurrency, and tells it to the functions that plan with it. 0
// changes nothing.
func WithSenders(functions []Function, senders int) ([]Function, error) {
	if senders == 0 {
		return functions, nil
	}
	if senders < 0 {
		return nil, fmt.Errorf("%d senders: there must be at least 1", senders)
	}
	changed := slices.Clone(functions)
	for i, f := range changed {
		if f.Key == sendKey {
			changed[i].ReservedConcurrency = senders
		}
		if _, has := f.Environment[sendersVariable]; has {
			changed[i].Environment = maps.Clone(f.Environment)
			changed[i].Environment[sendersVariable] = strconv.Itoa(senders)
		}
	}
	return changed, nil
}

// Budget is the functions as package budget calculates with them.
func Budget(functions []Function) []budget.Function {
	all := make([]budget.Function, len(functions))
	for i, f := range functions {
		all[i] = budget.Function{Name: f.Key, Concurrency: f.ReservedConcurrency}
	}
	return all
}

// entry is a function as the file writes it. What only serverless.yml needs is not read.
type entry struct {
	Timeout             int                  `yaml:"timeout"`
	MemorySize          int                  `yaml:"memorySize"`
	ReservedConcurrency int                  `yaml:"reservedConcurrency"`
	Environment         map[string]yaml.Node `yaml:"environment"`
	Events              []sourceEntry        `yaml:"events"`
}

// variables are those that need nobody to work them out.
func (e entry) variables() map[string]string {
	var variables map[string]string
	for name, node := range e.Environment {
		if node.Kind == yaml.AliasNode {
			node = *node.Alias
		}
		if node.Kind != yaml.ScalarNode || strings.Contains(node.Value, "${") {
			continue
		}
		if variables == nil {
			variables = map[string]string{}
		}
		variables[name] = node.Value
	}
	return variables
}

// Parse reads the text of a functions.yml. The error names every function that is not described well enough to run.
func Parse(text []byte) ([]Function, error) {
	var entries map[string]entry
	if err := yaml.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("reading functions.yml: %w", err)
	}
	if len(entries) == 0 {
		return nil, errors.New("reading functions.yml: it has no functions")
	}
	var functions []Function
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		err := e.check()
		var source *EventSource
		if err == nil {
			source, err = e.eventSource()
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("functions.yml: %s: %w", key, err))
			continue
		}
		functions = append(functions, Function{
			Key:                 key,
			Timeout:             time.Duration(e.Timeout) * time.Second,
			MemorySize:          e.MemorySize,
			ReservedConcurrency: e.ReservedConcurrency,
			Environment:         e.variables(),
			EventSource:         source,
		})
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return functions, nil
}

// check applies Lambda's limits, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, and ours: without
// a reserved concurrency there is no bound.
func (e entry) check() error {
	switch {
	case e.Timeout < 1 || e.Timeout > 900:
		return fmt.Errorf("timeout is %d: it must be 1 to 900 seconds", e.Timeout)
	case e.MemorySize < 128 || e.MemorySize > 10240:
		return fmt.Errorf("memorySize is %d: it must be 128 to 10240 MiB", e.MemorySize)
	case e.ReservedConcurrency < 1:
		return fmt.Errorf("reservedConcurrency is %d: it must be at least 1, or the number of connections has no bound", e.ReservedConcurrency)
	}
	return nil
}
