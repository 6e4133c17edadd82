package sqs

import (
	"fmt"
	"net/http"
)

// Error is an error answer of SQS. Type is the shape's name in the JSON protocol; Code is the one that SQS had before JSON, which
// the SDKs still show to their callers.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
type Error struct {
	Status              int
	Type, Code, Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func fail(kind, code, format string, args ...any) *Error {
	return &Error{http.StatusBadRequest, kind, code, fmt.Sprintf(format, args...)}
}

var (
	errNoQueue     = fail("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	errHandle      = fail("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
	errNotInFlight = fail("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", "The specified message isn't in flight.")
	errOverLimit   = fail("OverLimit", "OverLimit", "Too many messages in flight.")
	errContents    = fail("InvalidMessageContents", "InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
	errEmptyBatch  = fail("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request.")
	errTooMany     = fail("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d.", maxReceive)
	errTooLong     = fail("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", "Batch requests cannot be longer than %d bytes.", maxMessageBytes)
	errEntryID     = fail("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
)

func invalid(format string, args ...any) *Error {
	return fail("InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

func missing(parameter string) *Error {
	return fail("MissingParameterException", "MissingParameter", "The request must contain the parameter %s.", parameter)
}

func unsupported(format string, args ...any) *Error {
	return fail("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", format, args...)
}
