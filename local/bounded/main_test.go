package bounded

import (
	"os"
	"testing"

	"fanmail/local/localtest"
)

// binaries is the directory of the Lambda binaries, built once for all tests.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(localtest.Main(m, func(directory string) { binaries = directory }))
}
