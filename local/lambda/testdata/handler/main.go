// The function of the tests: what it does is said in the event.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string `json:"do"`
	Text string `json:"text"`
	URL  string `json:"url"`
	Size int    `json:"size"`
}

type answer struct {
	Text      string   `json:"text,omitempty"`
	PID       int      `json:"pid"`
	Calls     int64    `json:"calls"`
	Ticks     int64    `json:"ticks"`
	RequestID string   `json:"requestId"`
	ARN       string   `json:"arn"`
	Remaining int64    `json:"remaining"` // milliseconds
	Environ   []string `json:"environ,omitempty"`
}

type NotToday struct{}

func (*NotToday) Error() string { return "not today" }

var calls, ticks atomic.Int64

func main() {
	switch os.Getenv("TEST_INIT") {
	case "exit":
		fmt.Println("this init exits")
		os.Exit(7)
	case "hang":
		select {}
	case "error":
		response, err := http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error", "application/json",
			strings.NewReader(`{"errorType":"Extension.Init","errorMessage":"no luck"}`))
		fmt.Println(response, err)
		os.Exit(1)
	}
	go func() {
		for {
			time.Sleep(time.Millisecond)
			ticks.Add(1)
		}
	}()
	var options []lambda.Option
	if file := os.Getenv("TEST_SIGTERM_FILE"); file != "" {
		options = append(options, lambda.WithEnableSIGTERM(func() { os.WriteFile(file, []byte("closed"), 0o600) }))
	}
	lambda.StartWithOptions(handle, options...)
}

func handle(ctx context.Context, e event) (any, error) {
	a := answer{Text: e.Text, PID: os.Getpid(), Calls: calls.Add(1)}
	deadline, _ := ctx.Deadline()
	a.Remaining = time.Until(deadline).Milliseconds()
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		a.RequestID, a.ARN = lc.AwsRequestID, lc.InvokedFunctionArn
	}
	switch e.Do {
	case "environ":
		a.Environ = os.Environ()
	case "print":
		fmt.Print(e.Text)
	case "hang":
		fmt.Println("hanging")
		select {}
	case "error":
		return nil, &NotToday{}
	case "wrapped":
		return nil, fmt.Errorf("wrapped: %w", errors.New("inner"))
	case "panic":
		panic("oh no")
	case "exit":
		os.Exit(0)
	case "crash":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "large":
		return strings.Repeat("x", e.Size), nil
	case "ask": // tells the test that it runs, and goes on when the test answers
		response, err := http.Get(e.URL)
		if err != nil {
			return nil, err
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	a.Ticks = ticks.Load()
	return a, nil
}
