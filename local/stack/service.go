// Package stack stands in for what the CLI asks of CloudFormation and STS: DescribeStacks, which answers with the one
// stack that there is, and GetCallerIdentity. Everything else of services with the query protocol is refused by name.
package stack

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// Config is the one stack, and whose it is.
type Config struct {
	Region, Account string
	// Name is the name of the stack.
	Name string
	// Outputs are the outputs of the stack, in the order in which they are listed.
	Outputs []Output
}

// Output is an output of the stack.
type Output struct {
	Key         string `xml:"OutputKey"`
	Value       string `xml:"OutputValue"`
	Description string `xml:"Description"`
}

// Service is both services. It is an http.Handler for the query protocol: a form with an Action, answered in XML.
type Service struct{ config Config }

// New returns the services.
func New(config Config) *Service { return &Service{config} }

const (
	formations = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
	tokens     = "https://sts.amazonaws.com/doc/2011-06-15/"
)

// failure is an error answer. Both services have the form <ErrorResponse><Error>.
type failure struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

func (f *failure) Error() string { return f.Code + ": " + f.Message }

func fail(namespace, code, format string, args ...any) *failure {
	return &failure{Namespace: namespace, Type: "Sender", Code: code, Message: fmt.Sprintf(format, args...)}
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	answer, err := s.answer(r, id)
	status := http.StatusOK
	if err != nil {
		err.RequestID = id
		answer, status = err, http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(answer) // whoever asked may have hung up
}

func (s *Service) answer(r *http.Request, id string) (any, *failure) {
	if err := r.ParseForm(); err != nil {
		return nil, fail(formations, "MalformedQueryString", "%s", err)
	}
	switch action := r.PostForm.Get("Action"); action {
	case "DescribeStacks":
		return s.describeStacks(r, id)
	case "GetCallerIdentity":
		return s.getCallerIdentity(id), nil
	default:
		return nil, fail(formations, "InvalidAction",
			"The local runtime has DescribeStacks of CloudFormation and GetCallerIdentity of STS; it does not "+
				"have %s%s.", service(r), action)
	}
}

// service is the service that a request was signed for, and a colon:
// Credential=<key>/<date>/<region>/<service>/aws4_request.
func service(r *http.Request) string {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return ""
	}
	return scope[3] + ":"
}
