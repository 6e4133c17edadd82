package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/jackc/pgx/v5"

	"fanmail/experiment"
	"fanmail/shared/budget"
	"fanmail/shared/mailer"
	"fanmail/shared/planner"
	"fanmail/shared/storage"
	"fanmail/shared/workflow"
)

// planned is how many senders Plan starts for a campaign.
func (o *options) planned() int {
	return budget.Need{Rate: o.rate, Latency: planner.AssumedLatency, Parallel: mailer.Parallel}.Senders()
}

// reinforce invokes n senders beside the state machine, each over the whole list of the campaign, when its first wave has begun. It
// returns when they have answered.
func (s *stage) reinforce(ctx context.Context, campaign, execution string, recipients int64, n int) error {
	if err := s.awaitWave(ctx, campaign); err != nil {
		return err
	}
	payload, err := json.Marshal(workflow.SendInput{
		Campaign: campaign, Execution: execution, Wave: 1,
		Content: workflow.Object{Bucket: s.runtime.Bucket(), Key: storage.WorkFolder(campaign, execution) + "/content.json"},
		Batch:   workflow.Batch{Number: 1, First: 1, Last: recipients, Pending: recipients},
	})
	if err != nil {
		return err
	}
	problems := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { problems[i] = s.send(ctx, payload) })
	}
	group.Wait()
	return errors.Join(problems...)
}

// send invokes one sender until nothing is left to claim.
func (s *stage) send(ctx context.Context, payload []byte) error {
	for {
		answer, err := s.lambda().Invoke(ctx, &awslambda.InvokeInput{FunctionName: aws.String(sender), Payload: payload})
		if err != nil {
			return fmt.Errorf("invoking a sender beside the state machine: %w", err)
		}
		if answer.FunctionError != nil {
			return fmt.Errorf("a sender beside the state machine failed: %s", answer.Payload)
		}
		var out workflow.SendOutput
		if err := json.Unmarshal(answer.Payload, &out); err != nil || !out.More {
			return err
		}
	}
}

// awaitWave waits until senders of the campaign may claim.
func (s *stage) awaitWave(ctx context.Context, campaign string) error {
	return s.session(ctx, func(conn *pgx.Conn) error {
		for {
			var waves int
			err := conn.QueryRow(ctx, "select coalesce(max(waves), 0) from fanmail.campaign where name = $1", campaign).Scan(&waves)
			if err != nil || waves > 0 {
				return err
			}
			if err := experiment.Wait(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
	})
}
