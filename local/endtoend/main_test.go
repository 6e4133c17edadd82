package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fanmail/shared/deployment"
)

// binaries is the directory of the Lambda binaries, built once for all tests.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "fanmail-endtoend-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }()
	if err := build(binaries); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
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
