package experiment

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"fanmail/local"
)

// Wait waits for d, or until ctx is done; then the error is its cause.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Number writes an integer that is not negative with commas: 20,000.
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Machine is what figures depend on.
func Machine() string {
	return fmt.Sprintf("%d processors, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// Client bounds every call, and keeps enough connections for whoever shares it.
var Client = &http.Client{Timeout: 20 * time.Minute, Transport: &http.Transport{MaxIdleConns: 2000, MaxIdleConnsPerHost: 2000, IdleConnTimeout: time.Minute}}

// ClientConfig is for clients at an endpoint of this machine.
func ClientConfig(endpoint string) aws.Config {
	config := local.ClientConfig(endpoint)
	config.HTTPClient = Client
	return config
}
