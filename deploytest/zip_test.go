package deploytest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fanmail/shared/workflow"
)

// maxZip is the largest package of a function, in bytes, for either processor. Lambda takes 50 MB; a small package starts
// sooner. Code for amd64 is a tenth larger than for arm64.
const maxZip = 8 << 20

// zips are the packages: those that are deployed, and those for this machine.
func zips(t *testing.T) (names []string) {
	t.Helper()
	needPackages(t)
	for _, folder := range []string{absolute(t, "bin", "deploy"), os.Getenv(zipsVariable)} {
		found, err := filepath.Glob(filepath.Join(folder, "*.zip"))
		if err != nil || len(found) != len(keys(t)) {
			t.Fatalf("%s has %d zips, want %d (%v)", folder, len(found), len(keys(t)), err)
		}
		names = append(names, found...)
	}
	return names
}

func TestZipsAreAsLambdaWantsThem(t *testing.T) {
	for _, name := range zips(t) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%9d bytes in %s", info.Size(), name)
		if info.Size() >= maxZip {
			t.Errorf("%s has %d bytes, want fewer than %d", name, info.Size(), maxZip)
		}
		archive, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = archive.Close() }()
		if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" {
			t.Fatalf("%s has %d files, want bootstrap alone", name, len(archive.File))
		}
		if mode := archive.File[0].Mode(); mode != 0o755 {
			t.Errorf("bootstrap in %s has the mode %v, want -rwxr-xr-x", name, mode)
		}
	}
}

// TestTheSameCodeGivesTheSameZip builds a function from a copy of the project in another folder, without Git.
func TestTheSameCodeGivesTheSameZip(t *testing.T) {
	folder := os.Getenv(zipsVariable)
	needPackages(t)
	elsewhere := t.TempDir()
	for _, part := range []string{"go.mod", "go.sum", "Makefile", "cmd/lambdazip", "lambdas", "shared"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(elsewhere, part)), 0o755); err != nil {
			t.Fatal(err)
		}
		if output, code := run(t, root, nil, "cp", "-R", part, filepath.Join(elsewhere, part)); code != 0 {
			t.Fatal(output)
		}
	}
	const key = "control"
	const name = key + ".zip"
	cache := []string{"GOCACHE=" + goEnv(t, "GOCACHE"), "GOMODCACHE=" + goEnv(t, "GOMODCACHE")}
	if output, code := runMake(t, elsewhere, cache, "bin/native/"+name); code != 0 {
		t.Fatalf("make ended with code %d:\n%s", code, output)
	}
	if readFile(t, filepath.Join(folder, name)) != readFile(t, filepath.Join(elsewhere, "bin", "native", name)) {
		t.Errorf("%s has other bytes when it is built in %s", name, elsewhere)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestEveryFunctionStartsFromItsZip(t *testing.T) {
	needPackages(t)
	for _, key := range keys(t) {
		t.Run(key, func(t *testing.T) {
			if got := start(t, unpack(t, key), variables(t, key)); got != "next" {
				t.Errorf("with the variables of the template the function came to %s, want its first request for work", got)
			}
		})
	}
}

func TestAFunctionSaysWhatIsWrongWithItsVariables(t *testing.T) {
	needPackages(t)
	for _, test := range []struct{ key, variable, want string }{
		{"send", "FANMAIL_SES_TIMEOUT=soon", `FANMAIL_SES_TIMEOUT is \"soon\"`},
		{"plan", "FANMAIL_SENDERS=", `FANMAIL_SENDERS is \"\"`},
	} {
		got := start(t, unpack(t, test.key), append(variables(t, test.key), test.variable))
		if !strings.Contains(got, workflow.InvalidConfiguration) || !strings.Contains(got, test.want) {
			t.Errorf("%s with %s came to %s, want %s with %s",
				test.key, test.variable, got, workflow.InvalidConfiguration, test.want)
		}
	}
}

// unpack unpacks a zip for this machine as Lambda does, with the mode that it says, and returns the program.
func unpack(t *testing.T, key string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: the functions are programs for Linux")
	}
	archive, err := zip.OpenReader(filepath.Join(os.Getenv(zipsVariable), key+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	packed, err := archive.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "bootstrap")
	code, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, code, archive.File[0].Mode()); err != nil {
		t.Fatal(err)
	}
	return program
}

// start starts the program of a function and returns "next" as soon as it asks for work, or else how it failed.
func start(t *testing.T, program string, variables []string) string {
	t.Helper()
	came := make(chan string, 1)
	arrive := func(how string) {
		select {
		case came <- how:
		default:
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(_ http.ResponseWriter, r *http.Request) {
		arrive("next")
		<-r.Context().Done()
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		arrive(body.String())
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "1")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	command := exec.CommandContext(t.Context(), program)
	// Lambda's own variables, https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, and nothing else.
	command.Env = append([]string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LAMBDA_TASK_ROOT=" + filepath.Dir(program), "_HANDLER=bootstrap",
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=fanmail-test",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=test",
	}, variables...)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	var got string
	select {
	case got = <-came:
	case err := <-ended:
		ended <- err
		select {
		case got = <-came:
		default:
			got = fmt.Sprintf("its end, %v: %s", err, output.String())
		}
	case <-time.After(time.Minute):
		got = "nothing within a minute"
	}
	_ = command.Process.Kill()
	<-ended
	server.CloseClientConnections()
	server.Close()
	return got
}
