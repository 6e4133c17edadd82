package ses

import "time"

// Fault is what goes wrong with one SendEmail call. The zero value lets the call pass. Config.Fault is asked after the
// request was read and checked, and before quotas are applied and the message is accepted.
type Fault struct {
	// Delay is added before anything is decided.
	Delay time.Duration
	// Error is answered instead of accepting the message: ErrRate, ErrInternal, ErrSuspended...
	Error *Error
	// Drop closes the connection without an answer, and the message is not accepted.
	Drop bool
	// LoseAnswer accepts the message and then closes the connection without an answer.
	LoseAnswer bool
	// AnswerDelay is added between acceptance and answer.
	AnswerDelay time.Duration
	// Answer, if not empty, is sent with status 200 instead of SES's own answer after acceptance: a malformed answer.
	Answer string
}
