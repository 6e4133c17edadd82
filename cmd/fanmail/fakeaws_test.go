package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fanmail/local/stack"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

// goodList is the SHA-256 of the recipients file of good.
const goodList = "fd833c37fbf4ff00e140cc54ab4d6199f329ce48959ae22fd9fdded3e3c445ce"

const fakeARN = "arn:aws:states:us-east-1:000000000000:execution:fanmail:spring-sale-1"

// fakeAWS answers the calls of the CLI over HTTP, so that the real SDK clients are what is tested.
type fakeAWS struct {
	mu      sync.Mutex
	objects map[string]string
	// stack is CloudFormation and STS, where a test needs them.
	stack http.Handler
	// describe are the answers of DescribeExecution, the last one for ever; status that of the control function.
	describe []map[string]any
	status   any
	// migrated is the answer of migrate; concurrency the account's limit, of which nothing is reserved.
	migrated    workflow.MigrateOutput
	concurrency int
	// unknown makes the control function know no campaign before one is started.
	unknown bool
	// account is the answer of GetAccount, database that of the control function to examine, suppressed to suppressed.
	account    any
	database   *workflow.Database
	suppressed []int
	// statusFails makes status a function error, start an error of StartExecution.
	statusFails bool
	start       map[string]any
	// started is the body of StartExecution, controlled the last one of the control function; uploads are the keys in their order.
	started    map[string]string
	controlled workflow.ControlInput
	uploads    []string
}

// newFakeAWS serves f and sets the environment for it.
func newFakeAWS(t *testing.T, f *fakeAWS) map[string]string {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	if f.objects == nil {
		f.objects = map[string]string{}
	}
	return setAWS(t, server.URL)
}

func setAWS(t *testing.T, endpoint string) map[string]string {
	t.Helper()
	env := map[string]string{
		"FANMAIL_BUCKET": "bucket", "FANMAIL_CONTROL_FUNCTION": "control",
		"FANMAIL_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:fanmail",
		"FANMAIL_CONFIG_FILE":       filepath.Join(t.TempDir(), "config.yaml"),
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
		env[name] = value
	}
	return env
}

// deployed takes the outputs out of the environment: they are those of a stack then, all of them.
func deployed(env map[string]string, f *fakeAWS, stage string) {
	c := stack.Config{Region: "us-east-1", Account: "000000000000", Name: deployment.StackName(stage)}
	for _, o := range deployment.Outputs {
		value := env[o.Variable]
		if value == "" {
			value = strings.ToLower(o.Key)
		}
		c.Outputs = append(c.Outputs, stack.Output{Key: o.Key, Value: value})
		delete(env, o.Variable)
	}
	f.stack = stack.New(c)
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stack != nil && r.URL.Path == "/" && r.Header.Get("X-Amz-Target") == "" {
		f.stack.ServeHTTP(w, r)
		return
	}
	body, _ := io.ReadAll(r.Body)
	switch target := r.Header.Get("X-Amz-Target"); {
	case target == "AWSStepFunctions.StartExecution":
		json.Unmarshal(body, &f.started)
		if f.start != nil {
			answer(w, http.StatusBadRequest, f.start)
			return
		}
		answer(w, http.StatusOK, map[string]any{"executionArn": fakeARN, "startDate": 100.5})
	case target == "AWSStepFunctions.DescribeExecution":
		if len(f.describe) == 0 {
			answer(w, http.StatusBadRequest, map[string]any{"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"})
			return
		}
		next := f.describe[0]
		if len(f.describe) > 1 {
			f.describe = f.describe[1:]
		}
		next["executionArn"], next["startDate"] = fakeARN, 100.5
		answer(w, http.StatusOK, next)
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/migratefunction/invocations"):
		answer(w, http.StatusOK, f.migrated)
	case strings.HasPrefix(r.URL.Path, "/2016-08-19/account-settings"):
		answer(w, http.StatusOK, map[string]any{"AccountLimit": map[string]int{"ConcurrentExecutions": f.concurrency, "UnreservedConcurrentExecutions": f.concurrency}})
	case strings.HasPrefix(r.URL.Path, "/2019-09-30/functions/"):
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		answer(w, http.StatusNotFound, map[string]string{"Message": "Function not found"})
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/control/invocations"):
		f.controlled = workflow.ControlInput{}
		json.Unmarshal(body, &f.controlled)
		if f.database != nil && f.controlled.Action == workflow.ActionExamine {
			answer(w, http.StatusOK, workflow.ControlOutput{Database: f.database})
			return
		}
		if f.suppressed != nil && f.controlled.Action == workflow.ActionSuppressed {
			answer(w, http.StatusOK, workflow.ControlOutput{SuppressedAmong: &workflow.SuppressedAmong{Positions: f.suppressed}})
			return
		}
		if f.unknown && f.started == nil {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			answer(w, http.StatusOK, map[string]string{"errorMessage": "there is no such campaign", "errorType": "CampaignUnknown"})
			return
		}
		if f.statusFails {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
		}
		answer(w, http.StatusOK, f.status)
	case r.URL.Path == "/v2/email/account" && f.account != nil:
		answer(w, http.StatusOK, f.account)
	default:
		f.s3(w, r, strings.TrimPrefix(r.URL.Path, "/bucket/"), string(body))
	}
}

func (f *fakeAWS) s3(w http.ResponseWriter, r *http.Request, key, body string) {
	switch r.Method {
	case http.MethodPut:
		f.uploads = append(f.uploads, key)
		f.objects[key] = body
	case http.MethodGet, http.MethodHead:
		content, ok := f.objects[key]
		if !ok {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
			return
		}
		io.WriteString(w, content)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

// finished is the report of a campaign of two that went well.
func finished() workflow.Report {
	return workflow.Report{
		Campaign: "spring-sale", Execution: fakeARN, State: "finished", Reason: "sent", Recipients: 2, Sent: 2, Waves: 1, Batches: 1,
		Outcomes: workflow.Object{Bucket: "bucket", Key: "reports/spring-sale/outcomes.csv"},
		Rejects:  workflow.Object{Bucket: "bucket", Key: "reports/spring-sale/rejects.csv"},
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
