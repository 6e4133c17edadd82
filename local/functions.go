package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"fanmail/local/lambda"
	"fanmail/shared/deployment"
)

const (
	// migrateKey is the function that the runtime itself invokes.
	migrateKey = deployment.MigrateKey
	// controlKey is the one that the CLI invokes.
	controlKey = "control"
	// senderKey and planKey are those that mail.
	senderKey = "send"
	planKey   = "plan"
	// finishKey is told of executions that end badly.
	finishKey = "finish"
)

// findBinaries finds the binary of every function in directory: <key>/bootstrap or <key>.
func findBinaries(directory string, functions []deployment.Function) (map[string]string, error) {
	if directory == "" {
		return nil, errors.New("no directory with the binaries of the Lambda functions is given")
	}
	directory, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	binaries := map[string]string{}
	var missing []error
	for _, f := range functions {
		for _, name := range []string{filepath.Join(f.Key, "bootstrap"), f.Key} {
			path := filepath.Join(directory, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				binaries[f.Key] = path
				break
			}
		}
		if binaries[f.Key] == "" {
			missing = append(missing, fmt.Errorf("no binary of the function %s in %s: build it with `make build`", f.Key, directory))
		}
	}
	return binaries, errors.Join(missing...)
}

// lambdaFunctions are the functions as the Lambda service runs them.
func (r *Runtime) lambdaFunctions(binaries map[string]string) []lambda.Function {
	functions := make([]lambda.Function, len(r.functions))
	for i, f := range r.functions {
		concurrency := f.ReservedConcurrency
		functions[i] = lambda.Function{
			Name:                functionName + f.Key,
			Binary:              binaries[f.Key],
			Environment:         r.functionEnvironment(f),
			Timeout:             f.Timeout,
			MemorySize:          f.MemorySize,
			ReservedConcurrency: &concurrency,
		}
	}
	return functions
}
