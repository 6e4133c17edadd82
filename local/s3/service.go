// Package s3 is a local Amazon S3 whose objects are files. The HTTP API and the storage are github.com/johannesboyne/gofakes3
// and its s3afero; this package adds what Fanmail and the aws command need and they have not: uploads in parts that lie on disk,
// whole replacement of an object, the checksum that SDKs verify when they read, and listings in the order of S3. It is a
// development runtime: it asks for no signature, verifies no upload, and is for plain HTTP, where SDKs don't encode bodies.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
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
		return nil, fmt.Errorf("starting the local S3 in %s: %w", c.Directory, err)
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
		gofakes3.WithLogger(logger{c.Logger}),
	)
	return guard(library.Server()), nil
}

// guard refuses what the library would answer wrongly.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Origin") != "": // the library lets every web page read and write
			refuse(w, http.StatusForbidden, "AccessDenied", "The local S3 is not for web pages.")
		case strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-"): // the library would store the encoded body
			refuse(w, http.StatusNotImplemented, "NotImplemented", "The local S3 does not decode aws-chunked bodies; use http, not https.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
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
