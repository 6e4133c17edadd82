package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// binary is the function of testdata/handler.
var binary string

func TestMain(m *testing.M) {
	if binary = os.Getenv("FANMAIL_TEST_BINARY"); binary != "" {
		os.Exit(m.Run())
	}
	directory, err := os.MkdirTemp("", "fanmail-lambda-test-")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	binary = filepath.Join(directory, "bootstrap")
	output, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", binary, "./testdata/handler").CombinedOutput()
	if err != nil {
		fmt.Printf("building testdata/handler: %v\n%s", err, output)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(directory)
	os.Exit(code)
}

// caller invokes functions through the real SDK, without its retries.
type caller struct {
	*sdk.Client
	t       *testing.T
	service *Service
}

func serve(t *testing.T, config Config) caller {
	t.Helper()
	for i := range config.Functions {
		if config.Functions[i].Binary == "" {
			config.Functions[i].Binary = binary
		}
	}
	service, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // a test leaves no invocation running that it wants to see end
		_ = service.Close(ctx)
		server.Close()
	})
	client := sdk.New(sdk.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(server.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		Retryer:      aws.NopRetryer{},
	})
	return caller{client, t, service}
}

// call invokes and expects an answer of the function.
func (c caller) call(function string, event map[string]any) (answer answer) {
	c.t.Helper()
	output := c.invoke(function, event)
	if output.FunctionError != nil {
		c.t.Fatalf("function error %s: %s", *output.FunctionError, output.Payload)
	}
	if err := json.Unmarshal(output.Payload, &answer); err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// fail invokes and expects a function error.
func (c caller) fail(function string, event map[string]any) (failure functionError) {
	c.t.Helper()
	output := c.invoke(function, event)
	if aws.ToString(output.FunctionError) != "Unhandled" {
		c.t.Fatalf("function error %q: %.200s", aws.ToString(output.FunctionError), output.Payload)
	}
	if err := json.Unmarshal(output.Payload, &failure); err != nil {
		c.t.Fatal(err)
	}
	failure.logs, _ = base64.StdEncoding.DecodeString(aws.ToString(output.LogResult))
	return failure
}

func (c caller) invoke(function string, event map[string]any) *sdk.InvokeOutput {
	c.t.Helper()
	payload, err := json.Marshal(event)
	if err != nil {
		c.t.Fatal(err)
	}
	output, err := c.Invoke(c.t.Context(), &sdk.InvokeInput{FunctionName: &function, Payload: payload, LogType: types.LogTypeTail})
	if err != nil {
		c.t.Fatal(err)
	}
	if output.StatusCode != 200 || aws.ToString(output.ExecutedVersion) != "$LATEST" {
		c.t.Fatalf("status %d, version %q", output.StatusCode, aws.ToString(output.ExecutedVersion))
	}
	return output
}

type answer struct {
	Text      string
	PID       int
	Calls     int64
	Ticks     int64
	RequestID string
	ARN       string
	Remaining int64
	Environ   []string
}

type functionError struct {
	ErrorType    string
	ErrorMessage string
	logs         []byte
}

// gate is a place where functions say that they run, and wait until they are let go.
type gate struct {
	*httptest.Server
	arrived chan struct{}
	open    chan struct{}
}

func newGate(t *testing.T) gate {
	g := gate{arrived: make(chan struct{}, 100), open: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.arrived <- struct{}{}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func (g gate) wait(t *testing.T, arrivals int) {
	t.Helper()
	for range arrivals {
		select {
		case <-g.arrived:
		case <-time.After(30 * time.Second):
			t.Fatal("the function did not call")
		}
	}
}

// eventually waits for what happens on its own, only later.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestInvocationReachesTheFunctionAsOnAWS(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", Environment: map[string]string{"COLOUR": "red"}, Timeout: 30 * time.Second, MemorySize: 512}}})
	arn := "arn:aws:lambda:us-east-1:000000000000:function:f"
	got := c.call("f", map[string]any{"text": "héllo"})
	if got.Text != "héllo" || got.ARN != arn || len(got.RequestID) != 36 {
		t.Errorf("the function saw %+v", got)
	}
	if got.Remaining <= 0 || got.Remaining > 30_000 {
		t.Errorf("%d ms remained of 30 s", got.Remaining)
	}
	for _, name := range []string{arn, "000000000000:function:f", arn + ":$LATEST", "f:$LATEST"} {
		if again := c.call(name, map[string]any{}); again.PID != got.PID {
			t.Errorf("%s ran in another environment", name)
		}
	}
	environ := c.call("f", map[string]any{"do": "environ"}).Environ
	for _, want := range []string{"COLOUR=red", "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_REGION=us-east-1", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/f", "LAMBDA_TASK_ROOT=" + filepath.Dir(binary)} {
		if !slices.Contains(environ, want) {
			t.Errorf("no %s in the environment", want)
		}
	}
	for _, variable := range environ {
		if strings.HasPrefix(variable, "GOMEMLIMIT=") || strings.HasPrefix(variable, "HOME=") {
			t.Errorf("our own %s reached the function", variable)
		}
	}
}

func TestRequestsAreRefusedAsTheSDKExpects(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "f", ReservedConcurrency: aws.Int(0)}}})
	invoke := func(name, payload string) error {
		_, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: &name, Payload: []byte(payload)})
		return err
	}
	if err := invoke("nobody", "{}"); !isError[*types.ResourceNotFoundException](err) || !strings.Contains(err.Error(), "function:nobody") {
		t.Errorf("unknown function: %v", err)
	}
	if err := invoke("f:7", "{}"); !isError[*types.ResourceNotFoundException](err) {
		t.Errorf("unknown version: %v", err)
	}
	if err := invoke("arn:aws:lambda:eu-west-1:000000000000:function:f", "{}"); !isError[*types.ResourceNotFoundException](err) {
		t.Errorf("another region: %v", err)
	}
	if err := invoke("f", "{"); !isError[*types.InvalidRequestContentException](err) {
		t.Errorf("broken JSON: %v", err)
	}
	if err := invoke("f", `"`+strings.Repeat("x", maxRequest)+`"`); !isError[*types.RequestTooLargeException](err) {
		t.Errorf("too large: %v", err)
	}
	var throttled *types.TooManyRequestsException
	if err := invoke("f", "{}"); !errors.As(err, &throttled) || throttled.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("switched off: %v", err)
	}
	output, err := c.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || output.StatusCode != 204 {
		t.Errorf("dry run: %+v, %v", output, err)
	}
	if started := c.service.Stats()["f"].Started; started != 0 {
		t.Errorf("%d environments started for nothing", started)
	}
	if _, err := c.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("f")}); err == nil {
		t.Error("an operation that is not there succeeded")
	} else if api := smithy.APIError(nil); !errors.As(err, &api) || api.ErrorCode() != "UnknownOperationException" {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func isError[E error](err error) bool {
	var wanted E
	return errors.As(err, &wanted)
}

func TestFunctionsAreDescribed(t *testing.T) {
	c := serve(t, Config{Functions: []Function{{Name: "b", ReservedConcurrency: aws.Int(3)}, {Name: "a", Timeout: time.Minute}}})
	list, err := c.ListFunctions(t.Context(), &sdk.ListFunctionsInput{})
	if err != nil || len(list.Functions) != 2 || *list.Functions[0].FunctionName != "b" || *list.Functions[1].Timeout != 60 {
		t.Errorf("list %+v, %v", list, err)
	}
	b, err := c.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: aws.String("b")})
	if err != nil || *b.Concurrency.ReservedConcurrentExecutions != 3 || *b.Configuration.Timeout != 3 {
		t.Errorf("get %+v, %v", b, err)
	}
}

func TestTheAccountAndItsReservationsAreDescribed(t *testing.T) {
	c := serve(t, Config{Concurrency: 200, Functions: []Function{{Name: "b", ReservedConcurrency: aws.Int(3)}, {Name: "a"}}})
	account, err := c.GetAccountSettings(t.Context(), &sdk.GetAccountSettingsInput{})
	if err != nil || account.AccountLimit.ConcurrentExecutions != 200 || aws.ToInt32(account.AccountLimit.UnreservedConcurrentExecutions) != 197 || account.AccountUsage.FunctionCount != 2 {
		t.Errorf("%+v, %v", account, err)
	}
	reserved := func(name string) (*int32, error) {
		out, err := c.GetFunctionConcurrency(t.Context(), &sdk.GetFunctionConcurrencyInput{FunctionName: &name})
		if err != nil {
			return nil, err
		}
		return out.ReservedConcurrentExecutions, nil
	}
	if b, err := reserved("b"); err != nil || aws.ToInt32(b) != 3 {
		t.Errorf("%v %v", b, err)
	}
	if a, err := reserved("a"); err != nil || a != nil {
		t.Errorf("without a reservation: %v %v", a, err)
	}
	if _, err := reserved("x"); !isError[*types.ResourceNotFoundException](err) {
		t.Errorf("unknown function: %v", err)
	}
	_, err = c.DeleteFunctionConcurrency(t.Context(), &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("b")})
	if api := smithy.APIError(nil); !errors.As(err, &api) || api.ErrorCode() != "UnknownOperationException" {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestBadConfigurationIsRefused(t *testing.T) {
	for want, functions := range map[string][]Function{
		"needs a name":               {{Binary: binary}},
		"is defined twice":           {{Name: "f", Binary: binary}, {Name: "f", Binary: binary}},
		"no such file":               {{Name: "f", Binary: binary + ".missing"}},
		"is not an executable file":  {{Name: "f", Binary: filepath.Dir(binary)}},
		"timeout 16m0s":              {{Name: "f", Binary: binary, Timeout: 16 * time.Minute}},
		"keeps at least 100 unreser": {{Name: "f", Binary: binary, ReservedConcurrency: aws.Int(950)}},
	} {
		if _, err := New(Config{Functions: functions}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
