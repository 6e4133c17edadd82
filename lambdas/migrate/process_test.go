package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"fanmail/local/postgres/postgrestest"
	"fanmail/shared/function/functiontest"
)

// TestMain makes this test binary the function, too.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestTheAdministratorsSessionDoesNotOutliveTheInvocation(t *testing.T) {
	admin := postgrestest.New(t)
	_, functions := newRole(t, admin)
	host, answer := functiontest.RuntimeAPI(t, "{}")
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+host, "AWS_LAMBDA_FUNCTION_NAME=migrate",
		"DATABASE_URL="+functions, "DATABASE_ADMIN_URL="+admin, "DATABASE_AUTH=password", "FANMAIL_CONNECTION_LIMIT=3")
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Log(output.String())
		}
	})
	select {
	case got := <-answer:
		if !strings.HasPrefix(got, `response {"applied":["`) {
			t.Fatal(got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no answer")
	}
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	sessions := func() (n int) {
		if err := conn.QueryRow(t.Context(), "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'fanmail-migrate'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for deadline := time.Now().Add(20 * time.Second); sessions() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the session is still there")
		}
	}
}
