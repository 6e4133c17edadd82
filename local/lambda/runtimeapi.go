package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/google/uuid"
)

// api is what the process sees at AWS_LAMBDA_RUNTIME_API.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func (e *environment) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.failed)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initFailed)
	mux.HandleFunc("POST /2020-01-01/extension/register", e.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", e.extensionNext)
	return mux
}

func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	if e.polling || e.current != nil && e.current.result == nil {
		e.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "next was called before the invocation was answered")
		return
	}
	e.polling = true
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.polling = false
		e.mu.Unlock()
	}()
	select {
	case e.polls <- struct{}{}:
	case <-r.Context().Done():
		return
	}
	var request *invocation
	select {
	case request = <-e.work:
	case <-r.Context().Done():
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", request.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(request.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", e.function.arn)
	header.Set("Lambda-Runtime-Trace-Id", request.traceID)
	if request.clientContext != "" {
		header.Set("Lambda-Runtime-Client-Context", request.clientContext)
	}
	_, _ = w.Write(request.payload) // if the process is gone, exited says so
}

func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Runtime.TruncatedResponse", err.Error())
		return
	}
	if len(payload) > maxResponse {
		answer := failure("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size ("+strconv.Itoa(maxResponse)+" bytes).")
		if e.answer(w, r, answer) {
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
		}
		return
	}
	answer := &result{payload: payload}
	// A handler that returns a reader may fail after the first byte; the runtime tells in a trailer.
	if r.Trailer.Get("Lambda-Runtime-Function-Error-Type") != "" {
		if payload, err = base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err != nil {
			refuse(w, http.StatusBadRequest, "InvalidErrorShape", err.Error())
			return
		}
		answer = &result{payload: payload, failed: true}
	}
	if e.answer(w, r, answer) {
		accept(w)
	}
}

func (e *environment) failed(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidErrorShape", err.Error())
		return
	}
	if e.answer(w, r, &result{payload: payload, failed: true}) {
		accept(w)
	}
}

// answer keeps the first answer to the current invocation; it refuses others.
func (e *environment) answer(w http.ResponseWriter, r *http.Request, answer *result) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.id != r.PathValue("id") || e.current.result != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	e.current.result = answer
	return true
}

func (e *environment) initFailed(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
	if err != nil || !json.Valid(payload) {
		refuse(w, http.StatusBadRequest, "InvalidErrorShape", errors.Join(errors.New("the error is not JSON"), err).Error())
		return
	}
	e.mu.Lock()
	first := e.initError == nil
	if first {
		e.initError = &result{payload: payload, failed: true}
	}
	e.mu.Unlock()
	accept(w)
	if first {
		close(e.broken)
	}
}

// register takes an extension that wants no events. That is how aws-lambda-go's WithEnableSIGTERM asks for SIGTERM.
func (e *environment) register(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	}
	if r.Header.Get("Lambda-Extension-Name") == "" {
		refuse(w, http.StatusForbidden, "Extension.InvalidExtensionName", "the header Lambda-Extension-Name is missing")
		return
	}
	if len(request.Events) > 0 {
		refuse(w, http.StatusForbidden, "Extension.InvalidEventType", "the local runtime knows extensions without events only")
		return
	}
	identifier := uuid.NewString()
	e.mu.Lock()
	e.extensions[identifier] = true
	e.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", identifier)
	writeJSON(w, http.StatusOK, map[string]string{"functionName": e.function.Name, "functionVersion": version, "handler": "bootstrap"})
}

// extensionNext never answers: no extension subscribed to an event.
func (e *environment) extensionNext(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	known := e.extensions[r.Header.Get("Lambda-Extension-Identifier")]
	e.mu.Unlock()
	if !known {
		refuse(w, http.StatusForbidden, "Extension.UnknownExtensionIdentifier", "Unknown extension")
		return
	}
	<-r.Context().Done()
}

func accept(w http.ResponseWriter) {
	writeJSON(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	writeJSON(w, status, map[string]string{"errorType": errorType, "errorMessage": message})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // fails only when the caller is gone
}
