// Package endtoend runs fanmail doctor, as a program, against the local runtime.
package endtoend

import (
	"os"
	"testing"

	"fanmail/local/localtest"
)

// binaries is the directory of the Lambda binaries, fanmail the program.
var binaries, fanmail string

func TestMain(m *testing.M) {
	os.Exit(localtest.Main(m, func(directory string) {
		var err error
		if fanmail, err = localtest.Command(directory); err != nil {
			panic(err)
		}
		binaries = directory
	}))
}
