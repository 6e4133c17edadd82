package local

import (
	"log/slog"
	"os"
	"time"

	"fanmail/local/faults"
)

// Options say how to run. Only LambdaBinaries is required.
type Options struct {
	// Directory keeps objects, mailbox, queues, schedules, the clock, logs and (without a DatabaseURL) PostgreSQL's data, also after Close, and
	// after a kill: a runtime that is started with it again goes on. Executions are not kept: start the campaign again. One
	// runtime at a time may use it. "" means a temporary one, removed at Close.
	Directory string
	// Address is where the endpoint listens; "" means 127.0.0.1:0, any free port.
	Address string
	// LambdaBinaries is a directory with a binary for this machine per function: <key>/bootstrap or <key>.
	LambdaBinaries string
	// Senders replaces the reserved concurrency of send and FANMAIL_SENDERS; 0 means that of functions.yml.
	Senders int
	// DatabaseURL is a PostgreSQL to use; "" means $DATABASE_URL, or else a private server that is started and stopped.
	DatabaseURL string
	// MaxSendRate is SES's limit in recipients per second; 0 means 10,000.
	MaxSendRate float64
	// Max24HourSend is SES's limit in recipients per 24 hours, -1 means none; 0 means 50,000,000.
	Max24HourSend float64
	// SESLatency is the time that SES takes to answer.
	SESLatency time.Duration
	// VisibilityTimeout replaces that of all queues; 0 means that of queues.yml, of minutes. What was received when a runtime was
	// killed, or an invocation failed, comes back only after it.
	VisibilityTimeout time.Duration
	// Faults are what goes wrong from the start; SetFaults replaces them.
	Faults faults.Settings
	// FunctionEnvironment are variables that every function gets over its own.
	FunctionEnvironment map[string]string
	// CountStatements makes a private PostgreSQL count its statements, for Statements.
	CountStatements bool
	// Logger is told what happens; nil means nobody. The functions' own logs are files in Directory/logs.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	if o.DatabaseURL == "" {
		o.DatabaseURL = os.Getenv("DATABASE_URL")
	}
	if o.MaxSendRate == 0 {
		o.MaxSendRate = 10_000
	}
	if o.Max24HourSend == 0 {
		o.Max24HourSend = 50_000_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
