package lambda

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	functionsPath   = "/2015-03-31/functions"
	concurrencyPath = "/2019-09-30/functions" // the API has a date for each of its parts
	settingsPath    = "/2016-08-19/account-settings"
)

// ServeHTTP is the Lambda API: Invoke, ListFunctions, GetFunction, GetFunctionConfiguration, GetFunctionConcurrency and
// GetAccountSettings.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := newID()
	w.Header().Set("X-Amzn-Requestid", id)
	if strings.TrimSuffix(r.URL.Path, "/") == settingsPath && r.Method == http.MethodGet {
		s.accountSettings(w)
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), functionsPath)
	dated := functionsPath
	if !ok {
		path, ok = strings.CutPrefix(r.URL.EscapedPath(), concurrencyPath)
		dated = concurrencyPath
	}
	if !ok {
		deny(w, http.StatusNotFound, "UnknownOperationException", "the local Lambda service has no "+r.URL.Path, nil)
		return
	}
	escaped, operation, _ := strings.Cut(strings.Trim(path, "/"), "/")
	if escaped == "" && r.Method == http.MethodGet && dated == functionsPath {
		s.list(w)
		return
	}
	name, err := url.PathUnescape(escaped)
	if err != nil {
		deny(w, http.StatusBadRequest, "InvalidParameterValueException", err.Error(), nil)
		return
	}
	f, arn := s.find(name, r.URL.Query().Get("Qualifier"))
	if f == nil {
		deny(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+arn, map[string]string{"Type": "User"})
		return
	}
	switch r.Method + " " + dated + " " + operation {
	case "POST " + functionsPath + " invocations":
		s.serveInvoke(w, r, f, id)
	case "GET " + functionsPath + " ":
		s.describe(w, f)
	case "GET " + concurrencyPath + " concurrency":
		writeJSON(w, http.StatusOK, f.concurrency())
	case "GET " + functionsPath + " configuration":
		writeJSON(w, http.StatusOK, f.configuration())
	default:
		deny(w, http.StatusNotFound, "UnknownOperationException", fmt.Sprintf("the local Lambda service has no %s %s", r.Method, r.URL.Path), nil)
	}
}

// find knows a function by its name, its ARN, or its partial ARN (account:function:name), each with or without :$LATEST.
// The second result is the ARN that was asked for.
func (s *Service) find(name, qualifier string) (*function, string) {
	prefix := fmt.Sprintf("arn:aws:lambda:%s:%s:function:", s.config.Region, s.config.Account)
	short := strings.TrimPrefix(name, prefix)
	if short == name {
		short = strings.TrimPrefix(name, s.config.Account+":function:")
	}
	short, inName, _ := strings.Cut(short, ":")
	qualifier = cmp.Or(qualifier, inName)
	if strings.HasPrefix(name, "arn:") && !strings.HasPrefix(name, prefix) {
		return nil, name
	}
	if qualifier != "" && qualifier != version {
		return nil, prefix + short + ":" + qualifier
	}
	return s.functions[short], prefix + short
}

func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request, f *function, id string) {
	kind := cmp.Or(r.Header.Get("X-Amz-Invocation-Type"), "RequestResponse")
	limit := maxRequest
	if kind == "Event" {
		limit = maxEvent
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		deny(w, http.StatusBadRequest, "InvalidRequestContentException", "reading the request: "+err.Error(), nil)
		return
	}
	if len(payload) > limit {
		deny(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit), nil)
		return
	}
	if len(bytes.TrimSpace(payload)) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		deny(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: the payload is not valid JSON", map[string]string{"Type": "User"})
		return
	}
	clientContext, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Amz-Client-Context"))
	if err != nil {
		deny(w, http.StatusBadRequest, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.", map[string]string{"Type": "User"})
		return
	}
	request := &invocation{
		id:            id,
		payload:       payload,
		clientContext: string(clientContext),
		traceID:       cmp.Or(r.Header.Get("X-Amzn-Trace-Id"), traceID()),
	}
	switch kind {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	case "Event":
		go f.deliver(request)
		w.WriteHeader(http.StatusAccepted)
	case "RequestResponse":
		f.serve(w, r, request)
	default:
		deny(w, http.StatusBadRequest, "InvalidParameterValueException", fmt.Sprintf("invocation type %q is none of RequestResponse, Event, DryRun", kind), nil)
	}
}

// serve runs an invocation and answers. A caller who hangs up misses the answer, but does not stop the function.
func (f *function) serve(w http.ResponseWriter, r *http.Request, request *invocation) {
	if err := f.admit(); err != nil {
		denyInvocation(w, err)
		return
	}
	type answer struct {
		result result
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		result, err := f.invoke(request)
		answers <- answer{result, err}
	}()
	select {
	case <-r.Context().Done():
	case answer := <-answers:
		if answer.err != nil {
			denyInvocation(w, answer.err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amz-Executed-Version", version)
		if answer.result.failed {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
		}
		if r.Header.Get("X-Amz-Log-Type") == "Tail" {
			w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(answer.result.logs))
		}
		_, _ = w.Write(answer.result.payload) // fails only when the caller is gone
	}
}

// deliver runs an asynchronous invocation: again after throttling, for up to six hours, and twice again after an
// error, a minute and two minutes later.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
func (f *function) deliver(request *invocation) {
	giveUp := time.Now().Add(6 * time.Hour)
	throttled, failures := time.Second, 0
	for {
		wait := throttled/2 + rand.N(throttled/2)
		err := f.admit()
		if err == nil {
			attempt := *request
			var outcome result
			if outcome, err = f.invoke(&attempt); err == nil && !outcome.failed {
				return
			}
			failures++
			wait = time.Duration(failures) * time.Minute
		} else {
			throttled = min(2*throttled, 5*time.Minute)
		}
		if errors.Is(err, errClosed) || failures > 2 || time.Now().Add(wait).After(giveUp) {
			f.service.logger.Warn("asynchronous invocation dropped", "function", f.Name, "request", request.id, "failures", failures, "error", err)
			return
		}
		select {
		case <-time.After(wait):
		case <-f.service.stopping.Done():
			return
		}
	}
}

func denyInvocation(w http.ResponseWriter, err error) {
	var reason throttle
	var refused refusal
	switch {
	case errors.As(err, &refused):
		deny(w, refusals[string(refused)], string(refused), "The local Lambda service was told to refuse this.",
			map[string]string{"Type": "Service"})
	case errors.As(err, &reason):
		deny(w, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", map[string]string{"Reason": string(reason), "Type": "User"})
	default:
		deny(w, http.StatusInternalServerError, "ServiceException", err.Error(), map[string]string{"Type": "Service"})
	}
}

// deny answers with one of the API's errors; SDKs read its name from the header.
func deny(w http.ResponseWriter, status int, name, message string, more map[string]string) {
	w.Header().Set("X-Amzn-Errortype", name)
	body := map[string]string{"message": message, "Message": message}
	for key, value := range more {
		body[key] = value
	}
	writeJSON(w, status, body)
}

func traceID() string {
	return fmt.Sprintf("Root=1-%08x-%08x%016x;Parent=%016x;Sampled=0", time.Now().Unix(), rand.Uint32(), rand.Uint64(), rand.Uint64())
}
