package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/jackc/pgx/v5"

	"fanmail/experiment"
	"fanmail/local"
	"fanmail/local/postgres"
	"fanmail/local/ses"
)

// sender is the local name of the sender function.
const sender = "fanmail-local-send"

// sesTimeout bounds a call of SES; a claim lasts four times as long. Plan waits for the last claims of the senders beside the state
// machine to run out.
const sesTimeout = 2 * time.Second

const (
	// look is how often the executions are looked at, tell how often the reader is told how far it is.
	look = 100 * time.Millisecond
	tell = 10 * time.Second
)

// stage is what the campaigns run on: a private PostgreSQL, and the local runtime as `fanmail demo` starts it.
type stage struct {
	options *options
	// directory is PostgreSQL's, volatile that of the runtime: SES's log must not wait for the disk while PostgreSQL's commits do.
	directory string
	volatile  string
	server    *postgres.Server
	runtime   *local.Runtime
	config    aws.Config
	// calls counts the well-formed SendEmail calls that SES got.
	calls atomic.Int64
}

func openStage(ctx context.Context, o *options) (s *stage, err error) {
	s = &stage{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.directory, err = os.MkdirTemp("", "fanmail-rate-"); err != nil {
		return s, err
	}
	if s.volatile, err = os.MkdirTemp(memory(), "fanmail-rate-"); err != nil {
		return s, err
	}
	// PostgreSQL may run as another user, who must be able to enter.
	if err := os.Chmod(s.directory, 0o755); err != nil {
		return s, err
	}
	// Durable: a claim's answer then waits for the disk, as on any real server.
	if s.server, err = postgres.Start(ctx, postgres.Config{Directory: filepath.Join(s.directory, "postgres"), Durable: true}); err != nil {
		return s, err
	}
	s.runtime, err = local.Start(ctx, local.Options{
		Directory: s.volatile, LambdaBinaries: o.lambdas, DatabaseURL: s.server.URL(),
		Senders: o.senders, MaxSendRate: o.rate, Max24HourSend: -1, SESLatency: o.latency,
		FunctionEnvironment: map[string]string{"FANMAIL_SES_TIMEOUT": sesTimeout.String()},
	})
	if err != nil {
		return s, err
	}
	// SES is asked for a fault before it decides: that counts the calls, and nothing goes wrong.
	s.runtime.SES().SetFault(func(*ses.Request) ses.Fault {
		s.calls.Add(1)
		return ses.Fault{}
	})
	s.config = experiment.ClientConfig(s.runtime.Endpoint())
	return s, s.session(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, watchClaims)
		return err
	})
}

func (s *stage) close() error {
	var problems []error
	if s.runtime != nil {
		problems = append(problems, s.runtime.Close())
	}
	if s.server != nil {
		problems = append(problems, s.server.Stop())
	}
	for _, directory := range []string{s.directory, s.volatile} {
		if directory != "" {
			problems = append(problems, os.RemoveAll(directory))
		}
	}
	return errors.Join(problems...)
}

// memory is a file system in memory, or "" where there is none.
func memory() string {
	const linux = "/dev/shm"
	if info, err := os.Stat(linux); err == nil && info.IsDir() {
		return linux
	}
	return ""
}

// session runs f with a session of the superuser on the ledger.
func (s *stage) session(ctx context.Context, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, s.server.URL())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return f(conn)
}

// upload puts the folder of a campaign with n recipients into the bucket.
func (s *stage) upload(ctx context.Context, campaign string, n int64) error {
	return experiment.Upload(ctx, s.runtime.Endpoint(), s.runtime.Bucket(), experiment.Campaigns+campaign, experiment.Campaign(n, ""))
}

// start starts a campaign and returns the ARN of its execution.
func (s *stage) start(ctx context.Context, campaign string) (string, error) {
	started, err := sfn.NewFromConfig(s.config).StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(s.runtime.StateMachineARN()), Name: &campaign, Input: aws.String(`{"campaign":"` + campaign + `"}`),
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(started.ExecutionArn), nil
}

// finish waits until the executions have succeeded.
func (s *stage) finish(ctx context.Context, executions ...string) error {
	client := sfn.NewFromConfig(s.config)
	told := time.Now()
	for len(executions) > 0 {
		if err := experiment.Wait(ctx, look); err != nil {
			return err
		}
		now, err := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &executions[0]})
		if err != nil {
			return err
		}
		switch now.Status {
		case types.ExecutionStatusSucceeded:
			executions = executions[1:]
		case types.ExecutionStatusRunning:
		default:
			return fmt.Errorf("the execution %s ended as %s: %s: %s", executions[0], now.Status, aws.ToString(now.Error), aws.ToString(now.Cause))
		}
		if time.Since(told) >= tell {
			told = time.Now()
			s.options.Progress("%s mailed, %s", experiment.Number(s.runtime.SES().Accepted()), load())
		}
	}
	return nil
}

func (s *stage) lambda() *awslambda.Client { return awslambda.NewFromConfig(s.config) }
