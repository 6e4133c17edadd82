package s3

import (
	"fmt"
	"net/http"
	"strings"
)

// etagHeader carries the ETag of an object that was uploaded in parts through the library, which can't write such a one.
const etagHeader = "X-Local-Etag"

// responseWriter corrects the head of the library's response.
type responseWriter struct {
	http.ResponseWriter
	// ifMatch is the If-Match header of a read.
	ifMatch string
	started bool
	// discard drops the body that belongs to a head that was replaced.
	discard bool
}

func (w *responseWriter) WriteHeader(status int) {
	if w.started {
		return
	}
	w.started = true
	header := w.Header()
	header.Del("Access-Control-Allow-Origin") // no web page has any business here
	if etag := header.Get(etagHeader); etag != "" {
		header.Set("ETag", etag)
		header.Del(etagHeader)
	}
	// The comparison stands here because only the response tells which of two concurrent versions is being read.
	if (status == http.StatusOK || status == http.StatusPartialContent) && w.ifMatch != "" && w.ifMatch != "*" && !sameETag(w.ifMatch, header.Get("ETag")) {
		w.discard = true
		body := "<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message><Condition>If-Match</Condition></Error>"
		for _, name := range []string{"Content-Length", "Content-Range", "Content-Encoding", "ETag", "Last-Modified", checksumHeader, checksumTypeHeader} {
			header.Del(name)
		}
		header.Set("Content-Type", "application/xml")
		header.Set("Content-Length", fmt.Sprint(len(body)))
		w.ResponseWriter.WriteHeader(http.StatusPreconditionFailed)
		w.ResponseWriter.Write([]byte(body))
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.discard {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// sameETag compares ETags as S3 does: with or without their quotes.
func sameETag(a, b string) bool { return strings.Trim(a, `"`) == strings.Trim(b, `"`) }
