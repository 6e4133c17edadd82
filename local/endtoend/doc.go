// Package endtoend holds the tests that run whole campaigns: the state machine's definition, the Lambda binaries as they
// are deployed, the real AWS SDK clients, and a real PostgreSQL.
package endtoend
