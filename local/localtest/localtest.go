// Package localtest builds what tests of the whole runtime need.
package localtest

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"fanmail/shared/deployment"
)

// Main is the body of a TestMain: it builds the binaries of all Lambda functions into a directory, tells it to use, runs the
// tests, and removes it. The result is the exit code.
func Main(m *testing.M, use func(binaries string)) int {
	binaries, err := os.MkdirTemp("", "fanmail-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }()
	if err := build(binaries); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	use(binaries)
	parallelize()
	return m.Run()
}

// parallelize runs more tests at once than there are processors, unless -parallel says otherwise: they wait most of the time,
// for SES's latency and for time-outs.
func parallelize() {
	const name, atOnce = "test.parallel", 4
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if !given && runtime.GOMAXPROCS(0) < atOnce {
		_ = flag.Set(name, strconv.Itoa(atOnce)) // package testing knows it
	}
}

// build makes the binary of every function as the Makefile does, for this machine.
func build(directory string) error {
	functions, err := deployment.Functions()
	if err != nil {
		return err
	}
	arguments := []string{"build", "-tags", "lambda.norpc", "-o", directory + string(filepath.Separator)}
	for _, f := range functions {
		arguments = append(arguments, "fanmail/lambdas/"+f.Key)
	}
	command := exec.Command("go", arguments...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building the functions: %w\n%s", err, output)
	}
	return nil
}

// Command builds the fanmail command into a directory, and returns its path.
func Command(directory string) (string, error) {
	program := filepath.Join(directory, "cli", "fanmail")
	output, err := exec.Command("go", "build", "-o", program, "fanmail/cmd/fanmail").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("building fanmail: %w\n%s", err, output)
	}
	return program, err
}
