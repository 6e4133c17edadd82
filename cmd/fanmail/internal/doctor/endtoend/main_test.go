// Package endtoend runs fanmail doctor, as a program, against the local runtime.
package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"fanmail/local/localtest"
)

// binaries is the directory of the Lambda binaries, fanmail the program.
var binaries, fanmail string

func TestMain(m *testing.M) {
	os.Exit(localtest.Main(m, func(directory string) {
		binaries, fanmail = directory, filepath.Join(directory, "fanmail")
		if out, err := exec.Command("go", "build", "-o", fanmail, "fanmail/cmd/fanmail").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building fanmail: %v\n%s", err, out)
			os.Exit(1)
		}
	}))
}
