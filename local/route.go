package local

import (
	"encoding/json"
	"net/http"
	"strings"

	"fanmail/local/scheduler"
)

// services are what stands behind the endpoint.
type services struct {
	stepFunctions, ses, lambda, sqs, stack, s3, scheduler, clock, faults http.Handler
}

// route tells by the form of a request which service it is for; what no other service knows is S3's, whose buckets may
// have any name.
func route(to services) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, path := r.Header.Get("X-Amz-Target"), r.URL.Path
		switch {
		case strings.HasPrefix(target, "AWSStepFunctions."):
			to.stepFunctions.ServeHTTP(w, r)
		case strings.HasPrefix(target, "AmazonSQS."):
			to.sqs.ServeHTTP(w, r)
		case target != "":
			refuse(w, target)
		case strings.HasPrefix(path, "/v2/email/"), strings.HasPrefix(path, "/_mailbox"), strings.HasPrefix(path, "/_ses/"):
			to.ses.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/2015-03-31/functions/"), strings.HasPrefix(path, "/2016-08-19/"), strings.HasPrefix(path, "/2019-09-30/functions/"):
			to.lambda.ServeHTTP(w, r)
		case path == scheduler.Path, strings.HasPrefix(path, scheduler.Path+"/"):
			to.scheduler.ServeHTTP(w, r)
		case r.Method == http.MethodPost && path == "/": // the query protocol; S3 has no such call
			to.stack.ServeHTTP(w, r)
		case path == "/_clock":
			to.clock.ServeHTTP(w, r)
		case path == "/_faults":
			to.faults.ServeHTTP(w, r)
		default:
			to.s3.ServeHTTP(w, r)
		}
	})
}

// refuse answers a call of a JSON-protocol service that the runtime does not have.
func refuse(w http.ResponseWriter, target string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{
		"__type":  "UnknownOperationException",
		"message": "The local runtime has Step Functions, Lambda, SES v2, SQS, S3, EventBridge Scheduler, and of CloudFormation and STS one call each; it does not have " + target + ".",
	})
}
