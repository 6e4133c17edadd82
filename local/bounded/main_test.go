package bounded

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

// binaries is the directory of the Lambda binaries, built once for all tests.
var binaries string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "fanmail-bounded-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }()
	if err := build(binaries); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
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
