package lambda

import (
	"fmt"
	"net/http"
)

// refusals are the errors of Invoke that Refuse knows, with their HTTP status: what AWS answers before there is an
// environment, because of the network of a VPC, the key of the variables, or a function that is being changed.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors
var refusals = map[string]int{
	"EC2AccessDeniedException":             http.StatusBadGateway,
	"EC2ThrottledException":                http.StatusBadGateway,
	"EC2UnexpectedException":               http.StatusBadGateway,
	"ENILimitReachedException":             http.StatusBadGateway,
	"KMSAccessDeniedException":             http.StatusBadGateway,
	"KMSDisabledException":                 http.StatusBadGateway,
	"KMSInvalidStateException":             http.StatusBadGateway,
	"KMSNotFoundException":                 http.StatusBadGateway,
	"ResourceConflictException":            http.StatusConflict,
	"ResourceNotReadyException":            http.StatusBadGateway,
	"SubnetIPAddressLimitReachedException": http.StatusBadGateway,
}

// refusal is the name of an error in refusals.
type refusal string

func (r refusal) Error() string { return string(r) }

// Refuse makes the next n invocations of a function end with an error of Invoke; 0 ends that. No environment sees
// them.
func (s *Service) Refuse(function, exception string, n int) error {
	if _, ok := refusals[exception]; !ok {
		return fmt.Errorf("refusing invocations with %s: it is none of the errors of Invoke known here", exception)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[function]
	if f == nil {
		return fmt.Errorf("refusing invocations of %s: there is no such function", function)
	}
	f.refusal, f.refused = refusal(exception), n
	return nil
}

// Refusing is how many invocations of a function are still to be refused.
func (s *Service) Refusing(function string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.functions[function].refused
}
