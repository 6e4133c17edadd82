package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain plays, when asked to by the environment, a program that starts a server and is killed.
func TestMain(m *testing.M) {
	if os.Getenv("FANMAIL_TEST_START_AND_WAIT") != "" {
		server, err := Start(context.Background(), Config{})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(server.base)
		fmt.Println(server.URL())
		select {}
	}
	os.Exit(m.Run())
}

func start(t *testing.T, config Config) *Server {
	t.Helper()
	server, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// query runs statements on a connection of its own and returns the first column of the last one's first row.
func query(t *testing.T, address string, statements ...string) (result string) {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())
	for _, statement := range statements[:len(statements)-1] {
		if _, err := connection.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := connection.QueryRow(t.Context(), statements[len(statements)-1]).Scan(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

func refuses(address string) bool {
	connection, err := pgx.Connect(context.Background(), address)
	if err == nil {
		connection.Close(context.Background())
	}
	return err != nil
}

// openDirectory is a temporary directory that the unprivileged user can reach; t.TempDir is closed to others.
func openDirectory(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "fanmail-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestServerIsPrivateAndGoneAfterStop(t *testing.T) {
	server := start(t, Config{MaxConnections: 17})
	address := server.URL()
	if got := query(t, address, "SELECT current_database() || ' ' || current_setting('max_connections') || ' ' || current_setting('fsync')"); got != "fanmail 17 off" {
		t.Errorf("database, max_connections and fsync are %q", got)
	}
	if got := query(t, address, "SELECT current_setting('listen_addresses') || current_setting('unix_socket_directories')"); got != "127.0.0.1" {
		t.Errorf("the server listens at %q", got)
	}
	intruder, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	intruder.User = url.UserPassword(superuser, "guess")
	if !refuses(intruder.String()) {
		t.Error("the server let somebody in with a wrong password")
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if !refuses(address) {
		t.Error("the server still answers after Stop")
	}
	if _, err := os.Stat(server.base); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there after Stop: %v", server.base, err)
	}
	if err := server.Restart(t.Context()); err == nil {
		t.Error("a stopped server was started again")
	}
}

func TestDirectoryKeepsItsDataOverKillRestartAndStop(t *testing.T) {
	directory := filepath.Join(openDirectory(t), "server")
	server := start(t, Config{Directory: directory, Durable: true})
	address := server.URL()
	query(t, address, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)", "SELECT 'done'")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if !refuses(address) {
		t.Error("the server still answers after Kill")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.URL() != address {
		t.Errorf("the address changed from %s to %s", address, server.URL())
	}
	if got := query(t, address, "INSERT INTO kept VALUES (2)", "SELECT count(*)::text || current_setting('fsync') FROM kept"); got != "2on" {
		t.Errorf("rows and fsync after the crash are %q", got)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	again := start(t, Config{Directory: directory})
	if got := query(t, again.URL(), "SELECT count(*)::text FROM kept"); got != "2" {
		t.Errorf("%s rows in the second server", got)
	}
	if _, err := Start(t.Context(), Config{Directory: directory}); err == nil || !strings.Contains(err.Error(), "postmaster.pid") {
		t.Errorf("two servers on one directory: %v", err)
	}
	if got := query(t, again.URL(), "SELECT 'alive'"); got != "alive" {
		t.Error("the refused second server hurt the first")
	}
	if err := again.Stop(); err != nil {
		t.Fatal(err)
	}

	if err := os.WriteFile(filepath.Join(directory, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Config{Directory: directory}); err == nil || !strings.Contains(err.Error(), "was made by PostgreSQL 9") {
		t.Errorf("data of another version: %v", err)
	}
}

func TestServerIsGoneWhenItsProcessWasKilled(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "FANMAIL_TEST_START_AND_WAIT=1")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Process.Kill()
	lines := bufio.NewScanner(output)
	lines.Scan()
	base := lines.Text()
	lines.Scan()
	address := lines.Text()
	if refuses(address) {
		t.Fatalf("no server: %s %s", base, address)
	}
	command.Process.Kill()
	command.Wait()
	deadline := time.After(30 * time.Second)
	for {
		_, err := os.Stat(base)
		if errors.Is(err, os.ErrNotExist) && refuses(address) {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("still there: directory %v, server %v", err == nil, !refuses(address))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestCancelledStartLeavesNothingBehind(t *testing.T) {
	directory := openDirectory(t)
	t.Setenv("TMPDIR", directory)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	if _, err := Start(ctx, Config{}); err == nil {
		t.Fatal("a cancelled start succeeded")
	}
	entries, err := os.ReadDir(directory)
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestClosedDirectoryIsRefusedForRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user runs the server without changing user")
	}
	closed := openDirectory(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Directory: filepath.Join(closed, "server")})
	if err == nil || !strings.Contains(err.Error(), closed+" is closed to others") {
		t.Errorf("error %v", err)
	}
}
