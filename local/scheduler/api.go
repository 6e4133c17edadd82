package scheduler

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	// Path is what the paths of the API begin with.
	Path            = "/schedules"
	maxRequestBytes = 1 << 20
	maxResults      = 100
)

// apiError is an error that the API models: SDKs find its type by code.
type apiError struct {
	status        int
	code, message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func invalid(format string, args ...any) *apiError {
	return &apiError{http.StatusBadRequest, "ValidationException", fmt.Sprintf(format, args...)}
}

// constraint is AWS's answer to a value that a parameter can't have.
func constraint(parameter, rule string, value any) *apiError {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value,
		parameter, rule)
}

func unknown(format string, args ...any) *apiError {
	return &apiError{http.StatusNotFound, "ResourceNotFoundException", fmt.Sprintf(format, args...)}
}

// ServeHTTP answers the REST API of Scheduler. Signatures are not checked. The date of the answer is that of the
// clock.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := s.serve(r)
	status := http.StatusOK
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Requestid", uuid.NewString())
	w.Header().Set("Date", s.config.Clock.Now().UTC().Format(http.TimeFormat))
	if err != nil {
		problem, ok := errors.AsType[*apiError](err)
		if !ok {
			problem = &apiError{http.StatusInternalServerError, "InternalServerException", err.Error()}
		}
		status = problem.status
		w.Header().Set("X-Amzn-Errortype", problem.code)
		out = map[string]string{"Message": problem.message}
	}
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.log.Debug("answering a request", "error", err)
	}
}

func (s *Service) serve(r *http.Request) (any, error) {
	name, named := strings.CutPrefix(r.URL.Path, Path+"/")
	switch {
	case r.URL.Path == Path && r.Method == http.MethodGet:
		return s.list(r.URL.Query())
	case !named:
		return nil, unsupported(r)
	case !goodName.MatchString(name):
		return nil, constraint("name",
			"Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$, and have up to 64 characters", name)
	case r.Method == http.MethodPost:
		return s.create(r.Body, name)
	case r.Method == http.MethodGet:
		return s.get(r.URL.Query(), name)
	case r.Method == http.MethodDelete:
		return s.delete(r.URL.Query(), name)
	}
	return nil, unsupported(r)
}

func unsupported(r *http.Request) error {
	return &apiError{http.StatusBadRequest, "UnknownOperationException",
		"the local Scheduler has CreateSchedule, GetSchedule, ListSchedules and DeleteSchedule; it does not have " + r.Method + " " + r.URL.Path}
}

// group checks the name of a group. AWS's default group has none of our schedules.
func (s *Service) group(name string) error {
	if name != s.config.Group {
		if name == "" {
			name = "default"
		}
		return unknown("Schedule group %s does not exist.", name)
	}
	return nil
}

func (s *Service) find(q url.Values, name string) (*entry, error) {
	if err := s.group(q.Get("groupName")); err != nil {
		return nil, err
	}
	e, ok := s.schedules[name]
	if !ok {
		return nil, unknown("Schedule %s does not exist.", name)
	}
	return e, nil
}

func (s *Service) arn(name string) string {
	return fmt.Sprintf("arn:aws:scheduler:%s:%s:schedule/%s/%s",
		s.config.Region, s.config.Account, s.config.Group, name)
}

func (s *Service) create(body io.Reader, name string) (any, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxRequestBytes))
	if err != nil {
		return nil, err
	}
	e := &entry{Name: name}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e.Definition); err != nil {
		return nil, invalid("the local Scheduler can't read the schedule: %v", err)
	}
	if err := s.group(e.Definition.GroupName); err != nil {
		return nil, err
	}
	if err := e.Definition.check(); err != nil {
		return nil, err
	}
	if e.expression, err = e.Definition.expression(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := map[string]string{"ScheduleArn": s.arn(name)}
	if other, ok := s.schedules[name]; ok {
		if token := e.Definition.ClientToken; token != "" && token == other.Definition.ClientToken {
			return answer, nil // the same request again
		}
		return nil, &apiError{http.StatusConflict, "ConflictException", "Schedule " + name + " already exists."}
	}
	e.Created = s.config.Clock.Now().UTC()
	if at, ok := e.expression.Next(e.Created, e.Created); e.expression.OneTime() && !ok {
		return nil, invalid("Invalid Schedule Expression %s. (%s is past)", e.expression, at)
	}
	s.schedules[name] = e
	if err := s.keep(); err != nil {
		delete(s.schedules, name)
		return nil, err
	}
	s.wake()
	return answer, nil
}

func (s *Service) get(q url.Values, name string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(q, name)
	if err != nil {
		return nil, err
	}
	return struct {
		Arn, Name                          string
		CreationDate, LastModificationDate json.Number
		definition
		ClientToken *string `json:",omitempty"` // is not told
	}{s.arn(name), name, epoch(e.Created), epoch(e.Created), e.Definition, nil}, nil
}

func (s *Service) delete(q url.Values, name string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(q, name)
	if err != nil {
		return nil, err
	}
	delete(s.schedules, name)
	if err := s.keep(); err != nil {
		s.schedules[name] = e
		return nil, err
	}
	return struct{}{}, nil
}

// list pages through the schedules by name; the token is the last name of the page before.
func (s *Service) list(q url.Values) (any, error) {
	if q.Has("ScheduleGroup") {
		if err := s.group(q.Get("ScheduleGroup")); err != nil {
			return nil, err
		}
	}
	if state := q.Get("State"); state != "" && state != enabled {
		return nil, invalid("the local Scheduler has no State %s, only ENABLED", state)
	}
	most := maxResults
	if text := q.Get("MaxResults"); text != "" {
		var err error
		if most, err = strconv.Atoi(text); err != nil || most < 1 || most > maxResults {
			return nil, constraint("maxResults", "it must be 1 to 100", text)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	page := struct {
		NextToken string `json:",omitempty"`
		Schedules []map[string]any
	}{Schedules: []map[string]any{}}
	for _, e := range s.sorted() {
		if !strings.HasPrefix(e.Name, q.Get("NamePrefix")) || e.Name <= q.Get("NextToken") {
			continue
		}
		if len(page.Schedules) == most {
			page.NextToken = page.Schedules[most-1]["Name"].(string)
			break
		}
		page.Schedules = append(page.Schedules, map[string]any{
			"Arn": s.arn(e.Name), "CreationDate": epoch(e.Created), "GroupName": s.config.Group, "LastModificationDate": epoch(e.Created),
			"Name": e.Name, "State": e.Definition.State, "Target": map[string]string{"Arn": e.Definition.Target.Arn},
		})
	}
	return page, nil
}

// epoch is a time as the protocol writes it: seconds with milliseconds.
func epoch(at time.Time) json.Number {
	ms := at.UnixMilli()
	return json.Number(fmt.Sprintf("%d.%03d", ms/1000, ms%1000))
}
