package endtoend

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"fanmail/local/localtest"
)

// buildCLI builds the fanmail command once, beside the functions.
var buildCLI = sync.OnceValues(func() (string, error) { return localtest.Command(binaries) })

// result is what a command line gave.
type result struct {
	code           int
	stdout, stderr string
}

// cli runs the fanmail command against the deployment, with a time zone.
func (d *stack) cli(args ...string) result {
	d.t.Helper()
	program, err := buildCLI()
	if err != nil {
		d.t.Fatal(err)
	}
	command := exec.CommandContext(d.t.Context(), program, args...)
	command.Env = append(os.Environ(), "TZ=Europe/Berlin", "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent")
	for _, v := range d.Environment() {
		command.Env = append(command.Env, v.Name+"="+v.Value)
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		d.t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// fanmail runs the command, which must succeed, and returns what it printed.
func (d *stack) fanmail(args ...string) string {
	d.t.Helper()
	got := d.cli(args...)
	if got.code != 0 {
		d.t.Fatalf("fanmail %s: exit code %d\n%s%s", strings.Join(args, " "), got.code, got.stdout, got.stderr)
	}
	return got.stdout
}

// write puts a folder on the disk, and returns its path.
func (d *stack) write(campaign string, f folder) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), campaign)
	if err := os.Mkdir(path, 0o755); err != nil {
		d.t.Fatal(err)
	}
	for name, content := range f {
		if err := os.WriteFile(filepath.Join(path, name), []byte(content), 0o644); err != nil {
			d.t.Fatal(err)
		}
	}
	return path
}
