package cloud

import (
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// answerWithin is how long a connection may be silent before a call is given up, and tried again by the SDK. By itself
// the SDK waits for ever. The slowest answer is that of the function control, which may take its timeout and a cold start.
var answerWithin = 45 * time.Second

// silentFor is a client whose connections may be silent for so long. A client that is not the SDK's own stays as it is.
func silentFor(client aws.HTTPClient, limit time.Duration) aws.HTTPClient {
	if own, ok := client.(*awshttp.BuildableClient); ok {
		return own.WithReadTimeout(limit)
	}
	return client
}

// patientUploads is a client that counts the silence from the end of the request: S3 says nothing while it is sent
// the part of a large list, which takes minutes on a slow line.
func patientUploads(client aws.HTTPClient) aws.HTTPClient {
	own, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return client
	}
	return own.WithReadTimeout(0).WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = answerWithin })
}

// timedOut tells whether a call failed because nothing came in time.
func timedOut(err error) bool {
	slow, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && slow.Timeout()
}
