package local

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"

	"fanmail/local/lambda"
	"fanmail/shared/deployment"
)

const (
	sendKey         = "send"
	sendersVariable = "FANMAIL_SENDERS"
)

// withSenders gives send another reserved concurrency, and tells it to the functions that plan with it. 0 changes nothing.
func withSenders(functions []deployment.Function, senders int) ([]deployment.Function, error) {
	if senders == 0 {
		return functions, nil
	}
	if senders < 0 {
		return nil, fmt.Errorf("%d senders: there must be at least 1", senders)
	}
	changed := make([]deployment.Function, len(functions))
	for i, f := range functions {
		if f.Key == sendKey {
			f.ReservedConcurrency = senders
		}
		if _, has := f.Environment[sendersVariable]; has {
			f.Environment = maps.Clone(f.Environment)
			f.Environment[sendersVariable] = strconv.Itoa(senders)
		}
		changed[i] = f
	}
	return changed, nil
}

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
