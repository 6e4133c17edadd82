package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"fanmail/experiment"
	"fanmail/local"
	"fanmail/local/lambda"
)

const (
	// rate and day are the limits of the local SES: beyond what one machine can send, for both halves.
	rate, day = 100_000, -1
	// linger is how long sampling goes on when the execution has ended: what stays then is what frozen environments hold.
	linger = 3 * time.Second
	// tell is how often the reader is told how far it is.
	tell = 5 * time.Second
)

// stage is what both halves run on: a private server, and the local runtime as `fanmail demo` starts it.
type stage struct {
	name      string
	options   *options
	directory string
	server    *server
	runtime   *local.Runtime
	visitor   string // URL
}

func openStage(ctx context.Context, name string, o *options) (s *stage, err error) {
	s = &stage{name: name, options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	o.Progress("%s: starting PostgreSQL with max_connections %d, and the local runtime", name, maxConnections)
	if s.directory, err = os.MkdirTemp("", "fanmail-accident-"); err != nil {
		return s, err
	}
	// The server may belong to another user, who must be able to enter.
	if err := os.Chmod(s.directory, 0o755); err != nil {
		return s, err
	}
	if s.server, err = startServer(ctx, filepath.Join(s.directory, "postgres")); err != nil {
		return s, err
	}
	if s.visitor, err = s.server.role(ctx, visitorRole); err != nil {
		return s, err
	}
	s.runtime, err = local.Start(ctx, local.Options{
		Directory: filepath.Join(s.directory, "runtime"), LambdaBinaries: o.lambdas, DatabaseURL: s.server.URL(),
		MaxSendRate: rate, Max24HourSend: day, SESLatency: o.latency,
	})
	if err != nil {
		return s, err
	}
	return s, upload(ctx, s.runtime, o.recipients, o.batch())
}

func (s *stage) close() error {
	var problems []error
	if s.runtime != nil {
		problems = append(problems, s.runtime.Close())
	}
	if s.server != nil {
		problems = append(problems, s.server.Stop())
	}
	if s.directory != "" {
		problems = append(problems, os.RemoveAll(s.directory))
	}
	return errors.Join(problems...)
}

// execution is a state machine to run, and the Lambda services whose environments count.
type execution struct {
	client  *sfn.Client
	machine string
	input   map[string]any
	lambdas []*lambda.Service
	// sender is the name of the function that mails.
	sender string
}

// run executes, samples and measures.
func (s *stage) run(ctx context.Context, e execution) (Half, error) {
	h := Half{Name: s.name, Server: s.server.version, Slots: s.server.slots}
	sampler, err := startSampler(ctx, s.server, e.live)
	if err != nil {
		return h, err
	}
	visitor := startVisitor(ctx, s.visitor)
	begun := time.Now()
	seconds, err := s.execute(ctx, e)
	if err == nil {
		err = experiment.Wait(ctx, linger)
	}
	samples, sampling := sampler.stop(begun)
	if err := errors.Join(err, sampling, visitor.stop()); err != nil {
		return h, err
	}
	h.setSamples(samples)
	h.Said = sampler.refusals.said
	h.Seconds, h.Visits, h.TurnedAway = seconds, visitor.visits, visitor.turnedAway
	for _, service := range e.lambdas {
		for name, stats := range service.Stats() {
			h.Environments += stats.Started
			if name == e.sender {
				h.Invocations, h.FailedInvocations = stats.Invocations, stats.Errors
			}
		}
	}
	mailbox, err := experiment.Mailbox(ctx, s.runtime.Endpoint())
	if err != nil {
		return h, err
	}
	h.Mailed, h.Doubled = experiment.Mailed(mailbox)
	h.Recorded, err = s.server.sent(ctx)
	s.options.Progress("%s: connections before %d, at most %d, at the end %d", s.name, h.Before, h.Peak, h.End)
	return h, err
}

// live counts the environments whose process lives.
func (e execution) live() int {
	n := 0
	for _, service := range e.lambdas {
		for _, stats := range service.Stats() {
			n += stats.Live
		}
	}
	return n
}

// execute runs the state machine to its end and returns the seconds that it took.
func (s *stage) execute(ctx context.Context, e execution) (float64, error) {
	input, err := json.Marshal(e.input)
	if err != nil {
		return 0, err
	}
	started, err := e.client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &e.machine, Name: aws.String("accident"), Input: aws.String(string(input)),
	})
	if err != nil {
		return 0, err
	}
	told := time.Now()
	for {
		if err := experiment.Wait(ctx, quarter); err != nil {
			return 0, err
		}
		now, err := e.client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		if err != nil {
			return 0, err
		}
		switch now.Status {
		case types.ExecutionStatusSucceeded:
			return aws.ToTime(now.StopDate).Sub(aws.ToTime(now.StartDate)).Seconds(), nil
		case types.ExecutionStatusRunning:
		default:
			return 0, fmt.Errorf("the execution ended as %s: %s: %s", now.Status, aws.ToString(now.Error), aws.ToString(now.Cause))
		}
		if time.Since(told) >= tell {
			told = time.Now()
			s.options.Progress("%s: %s of %s mailed", s.name, experiment.Number(s.runtime.SES().Accepted()), experiment.Number(s.options.recipients))
		}
	}
}
