package ses

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// Fault is what goes wrong with one SendEmail call. The zero value lets the call pass. The function of Config.Fault or
// SetFault is asked after the request was read and checked, and before quotas are applied and the message is accepted.
type Fault struct {
	// Delay is added before anything is decided.
	Delay time.Duration
	// BeforeDecision, if set, is called after Delay: the request has been read, and nothing has been decided.
	BeforeDecision func()
	// Error is answered instead of accepting the message: ErrRate, ErrInternal, ErrSuspended...
	Error *Error
	// Drop closes the connection without an answer, and the message is not accepted.
	Drop bool
	// BeforeAnswer, if set, is called when the message is in the mailbox and nothing of the answer has been written.
	BeforeAnswer func()
	// LoseAnswer accepts the message and then closes the connection without an answer.
	LoseAnswer bool
	// AnswerDelay is added between acceptance and answer.
	AnswerDelay time.Duration
	// Answer, if not empty, is sent instead of SES's own answer after acceptance: a malformed answer, or one of a proxy in
	// between. AnswerStatus and AnswerHeader go with it; without them it is 200 and JSON.
	Answer       string
	AnswerStatus int
	AnswerHeader http.Header
	// CutAnswer closes the connection after half of the answer's body.
	CutAnswer bool
	// Reset makes Drop, LoseAnswer and CutAnswer reset the connection instead of closing it.
	Reset bool
	// AfterAnswer, if set, is called when the whole answer, good or bad, has been handed to the operating system's socket.
	AfterAnswer func()
}

// SetFault replaces Config.Fault while the service runs; nil ends all faults. A call that has been asked about keeps its own.
func (s *Service) SetFault(f func(*Request) Fault) { s.fault.Store(&f) }

// faultFor is the fault of a request.
func (s *Service) faultFor(r *Request) Fault {
	if f := *s.fault.Load(); f != nil {
		return f(r)
	}
	return Fault{}
}

// hangUp ends the connection of w without any more of an answer. It does not return.
func hangUp(w http.ResponseWriter, reset bool) {
	if reset {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				tcp.SetLinger(0)
			}
			conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}

// sourceIP is the address that the request came from.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// caller is the access key id in the Authorization header of a request that was signed with Signature Version 4, or "".
func caller(r *http.Request) string {
	_, credential, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !ok {
		return ""
	}
	key, _, ok := strings.Cut(credential, "/")
	if !ok {
		return ""
	}
	return key
}
