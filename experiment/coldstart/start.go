package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"time"
)

// limit is how long a function may take to ask for work before it is given up.
const limit = time.Minute

// start starts a function's program and returns how long it takes until it asks for work.
func start(program string) (time.Duration, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	asked := make(chan time.Time, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- time.Now():
		default:
		}
		<-r.Context().Done()
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "1")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: limit}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer func() { _ = server.Close() }()

	command := exec.Command(program)
	command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=coldstart", "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "FANMAIL_BUCKET=coldstart", "FANMAIL_SENDERS=10",
		"FANMAIL_CONFIGURATION_SET=coldstart", "DATABASE_URL=postgres://not-set.invalid/fanmail",
	}
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	begun := time.Now()
	if err := command.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case at := <-asked:
		_ = command.Process.Kill()
		<-ended
		return at.Sub(begun), nil
	case err := <-ended:
		return 0, fmt.Errorf("%s ended (%v) before it asked for work: %s", program, err, output.String())
	case <-time.After(limit):
		_ = command.Process.Kill()
		<-ended
		return 0, fmt.Errorf("%s did not ask for work within %s", program, limit)
	}
}
