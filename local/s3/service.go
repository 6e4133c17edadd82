// Package s3 is a local Amazon S3 whose objects are files. The HTTP API is github.com/johannesboyne/gofakes3; this package
// adds a storage that keeps no content in memory, and what current SDKs need and the library has not: aws-chunked bodies
// with trailing checksums, verification and return of checksums, If-Match on reads, and ETags of multipart uploads. It is a
// development runtime: it asks for no signature, and one machine's disk is all the durability there is.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"

	"github.com/johannesboyne/gofakes3"
)

// Config is the configuration of the service. Directory is required.
type Config struct {
	// Directory holds the objects. It is created if missing; objects already there are served.
	Directory string
	// Buckets are created at the start if they do not exist.
	Buckets []string
	// Logger gets one line per problem; the default discards them.
	Logger *slog.Logger
}

// New opens the store in c.Directory and returns the service. It addresses buckets by path (/bucket/key), as SDKs do when
// the endpoint is an IP address.
func New(c Config) (http.Handler, error) {
	if c.Directory == "" {
		return nil, errors.New("starting the local S3: no directory for the objects is given")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	store, err := openStore(c.Directory)
	if err != nil {
		return nil, fmt.Errorf("starting the local S3: %w", err)
	}
	for _, name := range c.Buckets {
		if err := gofakes3.ValidateBucketName(name); err != nil {
			return nil, fmt.Errorf("starting the local S3: bucket %q: %w", name, err)
		}
		if err := store.CreateBucket(name); err != nil && !gofakes3.IsAlreadyExists(err) {
			return nil, fmt.Errorf("starting the local S3: creating bucket %q: %w", name, err)
		}
	}
	library := gofakes3.New(store,
		gofakes3.WithTimeSkewLimit(0), // a caller may have been frozen for any time between signing and sending
		gofakes3.WithUnimplementedPageError(),
		gofakes3.WithLogger(logger{c.Logger}),
	)
	return adapt(library.Server()), nil
}

// adapt puts in front of the library what it does not know.
func adapt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if err := openBody(r); err != nil {
				http.Error(w, fmt.Sprintf("<Error><Code>InvalidRequest</Code><Message>%s</Message></Error>", err), http.StatusBadRequest)
				return
			}
		}
		out := &responseWriter{ResponseWriter: w}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			out.ifMatch = r.Header.Get("If-Match")
		}
		next.ServeHTTP(out, r)
		out.WriteHeader(http.StatusOK) // the library leaves it to the server where there is no body
	})
}

// logger hands the library's errors to slog; its other levels tell of every request.
type logger struct{ *slog.Logger }

func (l logger) Print(level gofakes3.LogLevel, v ...any) {
	if level != gofakes3.LogErr && level != gofakes3.LogWarn {
		return
	}
	severity := slog.LevelWarn
	for _, value := range v {
		if err, ok := value.(error); ok && hungUp(err) {
			severity = slog.LevelDebug
		}
	}
	l.Log(context.Background(), severity, "local S3: "+fmt.Sprint(v...))
}

// hungUp says that the caller went away in the middle: a function that was ended, Ctrl-C. Nothing is wrong with S3 then.
func hungUp(err error) bool {
	for _, cause := range []error{syscall.ECONNRESET, syscall.EPIPE, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
