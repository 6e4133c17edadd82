// Package bounded tests that connections are bounded by design, on the real Lambda binaries, frozen between invocations, and
// a real PostgreSQL behind a proxy that listens in and can go silent. It has nothing but tests.
package bounded
