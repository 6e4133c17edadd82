package deploytest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The variables that `make deploytest` sets.
const (
	// zipsVariable is the folder of the zips for this machine.
	zipsVariable = "FANMAIL_ZIPS"
	// pythonVariable is the folder of the programs that Python has; empty means that these checks are left out.
	pythonVariable = "FANMAIL_PYTHON"
)

// root is the folder of serverless.yml.
const root = ".."

// The stage and the region of the tests.
const (
	stage  = "moto"
	region = "eu-west-1"
)

// oslsOn is a verb of osls with the stage, the region and the parameters that serverless.yml needs at least.
func oslsOn(verb, databaseURL string) []string {
	return []string{
		verb, "--stage", stage, "--region", region, "--param", "databaseUrl=" + databaseURL,
		"--param", "databaseSecretArn=arn:aws:secretsmanager:" + region + ":000000000000:secret:fanmail-AbCdEf",
	}
}

// noDatabase is the URL of a database that nobody asks.
const noDatabase = "postgres://not-set.invalid/fanmail"

// needPackages skips the test unless `make deploytest` runs it.
func needPackages(t *testing.T) {
	t.Helper()
	if os.Getenv(zipsVariable) == "" {
		t.Skip("make deploytest makes the packages and runs this test on them")
	}
}

// python is the path of a program of the Python environment.
func python(t *testing.T, name string) string {
	t.Helper()
	needPackages(t)
	folder := os.Getenv(pythonVariable)
	if folder == "" {
		t.Skip("SKIPPED: without Python there is no cfn-lint and no moto")
	}
	return filepath.Join(folder, name)
}

// run runs a program in a folder and returns all that it prints, and its exit code. The variables of AWS are not those of
// the machine, where there may be an account, but only those given.
func run(t *testing.T, folder string, variables []string, name string, args ...string) (output string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = folder
	command.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	command.Env = append(command.Env,
		"HOME="+t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "NO_COLOR=1", "NODE_NO_WARNINGS=1")
	command.Env = append(command.Env, variables...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out), command.ProcessState.ExitCode()
}

// runMake runs make, which must not take the one that runs this test for its parent.
func runMake(t *testing.T, folder string, variables []string, args ...string) (output string, code int) {
	t.Helper()
	variables = append(variables, "MAKEFLAGS=", "MAKELEVEL=")
	return run(t, folder, variables, "make", append([]string{"--no-print-directory"}, args...)...)
}

// absolute is a path of the project's folder, absolute.
func absolute(t *testing.T, path ...string) string {
	t.Helper()
	name, err := filepath.Abs(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
