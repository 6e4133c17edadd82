package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/jackc/pgx/v5"

	"fanmail/experiment"
	"fanmail/local/faults"
)

const (
	// look is how often everything is looked at, tell how often the reader is told how far it is.
	look = 100 * time.Millisecond
	tell = 5 * time.Second
	// spareStarts is how often the campaign may be started again for other reasons than a restart of the runtime.
	spareStarts = 20
)

// stage is the campaign and all that it runs on.
type stage struct {
	options   *options
	directory string
	list      []string
	runtime   *runtime
	result    *Result
	// ended are the counts of the lives that are over, of this life those that were seen last.
	ended, current faults.Counts
	// killing: senders are being killed. rounds is how often the faults were set.
	killing bool
	rounds  int
	// moments are the numbers of accepted messages at which the runtime is still to be killed.
	moments []int64
	// execution is the one that runs now.
	execution string
}

// newStage makes the directory of everything.
func newStage(o *options) (*stage, error) {
	s := &stage{options: o, list: addresses(o.recipients), result: newResult(o), moments: moments(o)}
	var err error
	if s.directory, err = os.MkdirTemp("", "fanmail-chaos-"); err != nil {
		return nil, err
	}
	// PostgreSQL may run as another user, who must be able to enter.
	if err := os.Chmod(s.directory, 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.directory))
	}
	return s, nil
}

// runtimeDirectory is what the lives of the runtime have in common.
func (s *stage) runtimeDirectory() string { return filepath.Join(s.directory, "runtime") }

// moments spreads the restarts over the campaign, one at random in each of as many equal parts of its first nine tenths.
func moments(o *options) []int64 {
	random := rand.New(rand.NewPCG(uint64(o.seed), 0))
	all := make([]int64, o.restarts)
	for i := range all {
		all[i] = int64(0.9 * float64(o.recipients) * (float64(i) + random.Float64()) / float64(o.restarts))
	}
	return all
}

// run mails the list, and compares.
func (s *stage) run(ctx context.Context, allowed map[edge]bool) error {
	s.options.Progress("starting the local runtime in %s, with SES at %.0f recipients per second", s.directory, s.options.rate)
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.watchStates(ctx); err != nil {
		return err
	}
	folder := experiment.Campaign(s.options.recipients, "inDoubt: prove\n")
	if err := experiment.Upload(ctx, s.runtime.endpoint, s.runtime.bucket, experiment.Campaigns+campaignName, folder); err != nil {
		return err
	}
	begun := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.attend(ctx); err != nil {
		return err
	}
	s.result.Seconds = time.Since(begun).Seconds()
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.compare(ctx, allowed)
}

// begin starts a life of the runtime, with all its faults.
func (s *stage) begin(ctx context.Context) (err error) {
	name := fmt.Sprintf("runtime-%d", s.result.Restarts+1)
	if s.runtime, err = startRuntime(ctx, s.options, s.runtimeDirectory(), s.directory, name); err != nil {
		return err
	}
	s.killing = s.total().Kills < s.options.kills
	return s.trouble(ctx)
}

// trouble sets the faults.
func (s *stage) trouble(ctx context.Context) error {
	s.rounds++
	return s.runtime.trouble(ctx, s.options.faults(s.rounds, s.killing))
}

// total is what the faults have done in all lives.
func (s *stage) total() faults.Counts { return sum(s.ended, s.current) }

// start starts the campaign.
func (s *stage) start(ctx context.Context) error {
	if most := s.options.restarts + spareStarts; s.result.Executions > most {
		return fmt.Errorf("the campaign was started %d times and is not done: %v", s.result.Executions, s.result.Failures)
	}
	s.result.Executions++
	started, err := s.runtime.executions.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &s.runtime.machine, Name: aws.String(fmt.Sprintf("%s-%d", campaignName, s.result.Executions)),
		Input: aws.String(`{"campaign":"` + campaignName + `"}`),
	})
	if err != nil {
		return err
	}
	s.execution = aws.ToString(started.ExecutionArn)
	return nil
}

// attend goes on until the campaign is done: it counts, kills the runtime when it is time to, and starts the campaign again.
func (s *stage) attend(ctx context.Context) error {
	told := time.Now()
	for {
		if err := experiment.Wait(ctx, look); err != nil {
			return err
		}
		accepted, err := s.observe(ctx)
		if err != nil {
			return err
		}
		if time.Since(told) >= tell {
			told = time.Now()
			s.options.Progress("%s messages (probes included) for %s recipients, %d kills, %d restarts, %d executions",
				experiment.Number(accepted), experiment.Number(s.options.recipients), s.total().Kills, s.result.Restarts, s.result.Executions)
		}
		if len(s.moments) > 0 && accepted >= s.moments[0] {
			if err := s.restart(ctx); err != nil {
				return err
			}
			continue
		}
		if done, err := s.follow(ctx); err != nil || done {
			return err
		}
	}
}

// observe takes the counts, and ends the kills when there were enough. It returns how many messages SES has accepted.
func (s *stage) observe(ctx context.Context) (accepted int64, err error) {
	if s.runtime.isGone() {
		return 0, fmt.Errorf("the runtime has died by itself: %s: %s", s.runtime.ended(), tail(s.runtime.stderr, 20))
	}
	if s.current, err = s.runtime.counts(ctx); err != nil {
		return 0, err
	}
	if s.killing && s.total().Kills >= s.options.kills {
		s.killing = false
		if err := s.trouble(ctx); err != nil {
			return 0, err
		}
	}
	return s.runtime.accepted(ctx)
}

// restart kills the runtime, starts it again on what it left, and the campaign, whose execution is gone.
func (s *stage) restart(ctx context.Context) error {
	s.moments = s.moments[1:]
	s.runtime.kill()
	s.ended, s.current = s.total(), faults.Counts{}
	s.result.Restarts++
	if err := s.begin(ctx); err != nil {
		return err
	}
	_, err := s.runtime.executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &s.execution})
	if _, ok := errors.AsType[*types.ExecutionDoesNotExist](err); !ok {
		return fmt.Errorf("the runtime was killed, but still knows the execution %s: %w", s.execution, err)
	}
	return s.start(ctx)
}

// follow looks at the execution, and starts the campaign again when that has ended before the campaign. It tells whether the
// campaign is done.
func (s *stage) follow(ctx context.Context) (done bool, err error) {
	now, err := s.runtime.executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &s.execution})
	if err != nil {
		return false, err
	}
	why := ""
	switch now.Status {
	case types.ExecutionStatusRunning:
		return false, nil
	case types.ExecutionStatusSucceeded:
		standing, err := s.standing(ctx)
		if err != nil {
			return false, err
		}
		if standing.State == "finished" && standing.Pending == 0 {
			return true, nil
		}
		why = fmt.Sprintf("the campaign is %s: %s", standing.State, standing.Reason)
	default:
		why = fmt.Sprintf("%s: %s", aws.ToString(now.Error), aws.ToString(now.Cause))
	}
	s.result.Failures = append(s.result.Failures, why)
	s.options.Progress("starting the campaign again: %s", why)
	return false, s.start(ctx)
}

func (s *stage) standing(ctx context.Context) (now standing, err error) {
	err = s.session(ctx, func(conn *pgx.Conn) error {
		now, err = readStanding(ctx, conn)
		return err
	})
	return now, err
}

// settle waits until the last event has been consumed.
func (s *stage) settle(ctx context.Context) error {
	for quiet := 0; quiet < 2; {
		if err := experiment.Wait(ctx, look); err != nil {
			return fmt.Errorf("waiting for the last events: %w", err)
		}
		if _, err := s.observe(ctx); err != nil {
			return err
		}
		waiting, _, err := s.runtime.queued(ctx)
		if err != nil {
			return err
		}
		standing, err := s.standing(ctx)
		if err != nil {
			return err
		}
		if quiet++; waiting > 0 || standing.Unconfirmed > 0 {
			quiet = 0
		}
	}
	return nil
}

// compare holds what there is now against the list and the diagram.
func (s *stage) compare(ctx context.Context, allowed map[edge]bool) error {
	mailbox, err := experiment.Mailbox(ctx, s.runtime.endpoint)
	if err != nil {
		return err
	}
	mailbox = slices.DeleteFunc(mailbox, experiment.IsProbe)
	if _, s.result.DeadLetters, err = s.runtime.queued(ctx); err != nil {
		return err
	}
	s.result.Mails, s.result.Faults = int64(len(mailbox)), s.total()
	return s.session(ctx, func(conn *pgx.Conn) error {
		standing, err := readStanding(ctx, conn)
		if err != nil {
			return err
		}
		rows, err := readRows(ctx, conn)
		if err != nil {
			return err
		}
		taken, err := edgesTaken(ctx, conn)
		if err != nil {
			return err
		}
		if s.result.DoubtSettled, s.result.DoubtDisproved, err = doubts(ctx, conn); err != nil {
			return err
		}
		s.result.Waves = standing.Waves
		s.result.Findings = audit(s.list, mailbox, rows, standing.Tag)
		s.result.Transitions = transitions(taken, allowed)
		return nil
	})
}

// close ends the runtime, and removes all files of a run that was good.
func (s *stage) close(good bool) error {
	var err error
	if s.runtime != nil {
		err = s.runtime.stop()
	}
	if !good || err != nil {
		return errors.Join(err, fmt.Errorf("everything that there is of this run is kept in %s", s.directory))
	}
	return os.RemoveAll(s.directory)
}
