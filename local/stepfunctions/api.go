package stepfunctions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	targetPrefix = "AWSStepFunctions."
	contentType  = "application/x-amz-json-1.0"
	// maxRequestBytes bounds a request's body: a definition or an input with its JSON quoting.
	maxRequestBytes = 4 * 1024 * 1024
)

// action answers one API action for the request's JSON.
type action func(*Service, []byte) (any, error)

// actions are the supported API actions.
var actions = map[string]action{
	"DescribeExecution":                answer((*Service).describeExecution),
	"DescribeMapRun":                   answer((*Service).describeMapRun),
	"DescribeStateMachine":             answer((*Service).describeStateMachine),
	"DescribeStateMachineForExecution": answer((*Service).describeStateMachineForExecution),
	"GetExecutionHistory":              answer((*Service).getExecutionHistory),
	"ListExecutions":                   answer((*Service).listExecutions),
	"ListMapRuns":                      answer((*Service).listMapRuns),
	"ListStateMachines":                answer((*Service).listStateMachines),
	"StartExecution":                   answer((*Service).startExecutionAction),
	"StopExecution":                    answer((*Service).stopExecution),
	"UpdateMapRun":                     answer((*Service).updateMapRun),
}

func answer[In any](handle func(*Service, In) (any, error)) action {
	return func(s *Service, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, apiErrorf("SerializationException", "the request is no JSON of this action: %v", err)
		}
		return handle(s, in)
	}
}

// ServeHTTP answers the Step Functions JSON 1.0 API: POST with the action in X-Amz-Target. Signatures are not checked.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", uuid.NewString())
	out, err := s.serve(r)
	status := http.StatusOK
	if err != nil {
		var problem *apiError
		if !errors.As(err, &problem) {
			problem = &apiError{code: "InternalServerError", message: err.Error(), status: http.StatusInternalServerError}
		}
		status = http.StatusBadRequest
		if problem.status != 0 {
			status = problem.status
		}
		w.Header().Set("X-Amzn-Errortype", problem.code)
		fields := map[string]any{"__type": problem.code, "message": problem.message}
		if problem.reason != "" {
			fields["reason"] = problem.reason
		}
		out = fields
	}
	w.WriteHeader(status)
	if _, err := io.WriteString(w, encode(out)); err != nil {
		s.log.Debug("answering a request", "error", err)
	}
}

func (s *Service) serve(r *http.Request) (any, error) {
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	if r.Method != http.MethodPost || !ok {
		return nil, apiErrorf("UnknownOperationException", "this is Step Functions: want POST with X-Amz-Target: %s<action>", targetPrefix)
	}
	act, ok := actions[name]
	if !ok {
		return nil, apiErrorf("UnknownOperationException", "the local Step Functions does not support the action %s", name)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequestBytes))
	if err != nil {
		return nil, apiErrorf("SerializationException", "reading the request: %v", err)
	}
	return act(s, body)
}

// apiError is an error that the API models: SDKs find its type by code.
type apiError struct {
	code, message, reason string
	status                int
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func apiErrorf(code, format string, args ...any) *apiError {
	return &apiError{code: code, message: fmt.Sprintf(format, args...)}
}

// invalid is the answer to a parameter that breaks the API's own constraints, in AWS's words.
func invalid(field, constraint string) *apiError {
	return apiErrorf("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: %s", field, constraint)
}

// epoch is a time as the JSON protocol writes it: seconds with milliseconds.
func epoch(at time.Time) json.Number {
	ms := at.UnixMilli()
	return json.Number(fmt.Sprintf("%d.%03d", ms/1000, ms%1000))
}

// goodName checks the name of an execution or a state machine.
// Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func goodName(name string) bool {
	if name == "" || utf8.RuneCountInString(name) > maxNameCharacters || !utf8.ValidString(name) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return strings.ContainsRune(" \t\n<>{}[]?*\"#%\\^|~`$&,;:/", r) || r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff
	})
}

// arnParts splits an ARN of Step Functions into kind and the rest after it.
func (s *Service) arnParts(text, want string) (string, error) {
	parts := strings.SplitN(text, ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || parts[2] != "states" || parts[6] == "" {
		return "", apiErrorf("InvalidArn", "Invalid Arn: 'Invalid ARN: %s'", text)
	}
	if parts[5] != want {
		return "", apiErrorf("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", parts[5])
	}
	return parts[6], nil
}
