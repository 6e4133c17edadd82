// Package local runs Fanmail's deployment on one machine: the same state machine definition and the same Lambda binaries,
// over local stand-ins of Step Functions, Lambda, SES, SQS and S3 behind one HTTP endpoint, and a real PostgreSQL. It is a
// development runtime: the engine for real campaigns is AWS's.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"fanmail/local/clock"
	"fanmail/local/faults"
	"fanmail/local/lambda"
	"fanmail/local/scheduler"
	"fanmail/local/ses"
	"fanmail/local/sqs"
	"fanmail/local/stepfunctions"
	"fanmail/shared/deployment"
)

// The names under which the deployment stands in its one account.
const (
	Region       = "us-east-1"
	Account      = "000000000000"
	BucketName   = "fanmail-local"
	stateMachine = "fanmail-local-campaign"
	functionName = "fanmail-local-" // and the key of the function
)

// Runtime is a running deployment. Its methods are safe for concurrent use.
type Runtime struct {
	options     Options
	directory   string
	functions   []deployment.Function
	endpoint    string
	databaseURL string // the administrator's, or the given one
	role        role
	machineARN  string

	clock         *clock.Clock
	faults        *faults.Service
	ses           *ses.Service
	sqs           *sqs.Service
	lambda        *lambda.Service
	stepFunctions *stepfunctions.Service
	scheduler     *scheduler.Service
	connections   *Connections

	// closers run in reverse order.
	closers  []closer
	close    sync.Once
	closeErr error
}

type closer struct {
	what string
	f    func() error
}

// Start runs the deployment and brings the ledger's tables up to date. ctx bounds the start only; afterwards Close ends
// the runtime. An error leaves nothing behind.
func Start(ctx context.Context, o Options) (*Runtime, error) {
	r := &Runtime{options: o.withDefaults()}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the local runtime: %w", err), r.Close())
	}
	return r, nil
}

func (r *Runtime) start(ctx context.Context) error {
	all, err := deployment.Functions()
	if err != nil {
		return err
	}
	if r.functions, err = deployment.WithSenders(all, r.options.Senders); err != nil {
		return err
	}
	binaries, err := findBinaries(r.options.LambdaBinaries, r.functions)
	if err != nil {
		return err
	}
	if err := r.options.Faults.Validate(); err != nil {
		return err
	}
	if err := r.makeDirectory(); err != nil {
		return err
	}
	if err := r.openClock(); err != nil {
		return err
	}
	// The port is taken before anything is started that has to know it.
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", r.options.Address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w (choose another address, or end the program that uses it)", r.options.Address, err)
	}
	r.onClose("the endpoint", func() error { return ignoreClosed(listener.Close()) })
	r.endpoint = endpointOf(listener.Addr())

	if err := r.startDatabase(ctx); err != nil {
		return err
	}
	r.onClose("the ledger's clock", r.leaveLedgerClock)
	// Close goes backwards: executions end first, then functions, and then the endpoint that both need to the last.
	server := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(r.options.Logger.Handler(), slog.LevelDebug)}
	r.onClose("the endpoint", server.Close)
	if server.Handler, err = r.startServices(binaries); err != nil {
		return err
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.options.Logger.Error("the endpoint of the local runtime has failed", "error", err)
		}
	}()
	if err := r.migrate(ctx); err != nil {
		return err
	}
	if err := r.moveLedgerClock(ctx, r.clock.Offset()); err != nil {
		return err
	}
	// Events of an earlier run may be waiting: their function needs the ledger.
	if err := r.mapQueues(); err != nil {
		return err
	}
	if err := r.faults.Set(r.options.Faults); err != nil {
		return err
	}
	r.scheduler.Begin()
	r.options.Logger.Info("the local runtime is up", "endpoint", r.endpoint, "connectionBound", r.ConnectionBound())
	return nil
}

// closeLambda gives running invocations a moment to end. One that is cut off is no failure of Close: the ledger is made for
// senders that die.
func (r *Runtime) closeLambda() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	err := r.lambda.Close(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		r.options.Logger.Info("invocations that were running have been cut off")
		return nil
	}
	return err
}

func (r *Runtime) onClose(what string, f func() error) {
	r.closers = append(r.closers, closer{what, f})
}

// Close stops everything that Start has started; all goes on to the end, whatever fails. A second Close waits for the
// first and returns the same error.
func (r *Runtime) Close() error {
	r.close.Do(func() {
		var problems []error
		for _, c := range slices.Backward(r.closers) {
			if err := c.f(); err != nil {
				problems = append(problems, fmt.Errorf("stopping %s: %w", c.what, err))
			}
		}
		r.closeErr = errors.Join(problems...)
	})
	return r.closeErr
}

// Endpoint is the URL of all services: AWS_ENDPOINT_URL.
func (r *Runtime) Endpoint() string { return r.endpoint }

// StateMachineARN is the ARN of the campaign's state machine.
func (r *Runtime) StateMachineARN() string { return r.machineARN }

// Bucket is the name of the one bucket.
func (r *Runtime) Bucket() string { return BucketName }

// Directory is where the runtime keeps its files.
func (r *Runtime) Directory() string { return r.directory }

// DatabaseURL is the URL of the PostgreSQL database, password included: as it was given, or the superuser's of a private
// server. No function but migrate knows it, unless it is all that there is; see Role.
func (r *Runtime) DatabaseURL() string { return r.databaseURL }

// Role is the PostgreSQL role that the functions connect as.
func (r *Runtime) Role() string { return r.role.name }

// Lambda is the Lambda service, for its statistics.
func (r *Runtime) Lambda() *lambda.Service { return r.lambda }

// SES is the SES account, for its mailbox and settings.
func (r *Runtime) SES() *ses.Service { return r.ses }

// SQS is the queues, for their counts.
func (r *Runtime) SQS() *sqs.Service { return r.sqs }

// Connections watches the sessions on the database.
func (r *Runtime) Connections() *Connections { return r.connections }

// ConnectionBound is the largest number of connections that the functions can hold.
func (r *Runtime) ConnectionBound() int { return deployment.Bound(r.functions) }

// endpointOf is the URL of a listener. The host is always an IP address: SDKs then address buckets by path.
func endpointOf(address net.Addr) string {
	tcp := *address.(*net.TCPAddr)
	if tcp.IP.IsUnspecified() {
		tcp.IP = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + tcp.String()
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
