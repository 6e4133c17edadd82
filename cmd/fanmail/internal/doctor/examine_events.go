package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/shared/deployment"
)

// set is the configuration set that messages are sent with; own means that the campaign names it.
func (e *examination) set() (name string, own bool) {
	if e.Folder != nil && e.Folder.Settings != nil && e.Folder.Settings.ConfigurationSet != "" {
		return e.Folder.Settings.ConfigurationSet, true
	}
	return e.Parts.ConfigurationSet, false
}

func (e *examination) configurationSet(ctx context.Context) Verdict {
	name, own := e.set()
	if name == "" {
		return unknown(deployment.ConfigurationSet)
	}
	set, err := e.AWS.ConfigurationSet(ctx, name)
	if err != nil {
		return refused(err, "ses:GetConfigurationSet")
	}
	return judgeConfigurationSet(name, set, own)
}

func (e *examination) eventDestination(ctx context.Context) Verdict {
	const action = "ses:GetConfigurationSetEventDestinations"
	name, own := e.set()
	destinations, err := e.AWS.EventDestinations(ctx, name)
	if err != nil {
		return refused(err, action)
	}
	deployed := destinations
	if own && e.Parts.ConfigurationSet != "" {
		if deployed, err = e.AWS.EventDestinations(ctx, e.Parts.ConfigurationSet); err != nil {
			return refused(err, action)
		}
	}
	e.topics = topics(deployed)
	return judgeDestinations(name, destinations, e.topics)
}

// ask asks for a queue of the deployment. ok is false when that can't be: the verdict says why.
func (e *examination) ask(ctx context.Context, o deployment.Output, url string) (q cloud.Queue, v Verdict, ok bool) {
	if url == "" {
		return q, unknown(o), false
	}
	q, err := e.AWS.Queue(ctx, url)
	if err != nil {
		return q, refused(err, "sqs:GetQueueAttributes", "fanmail whoami shows which deployment is asked"), false
	}
	return q, v, true
}

func (e *examination) eventsQueue(ctx context.Context) (v Verdict) {
	var ok bool
	if e.queue, v, ok = e.ask(ctx, deployment.EventsQueue, e.Parts.EventsQueue); !ok {
		return v
	}
	return judgeQueue(e.queue)
}

func (e *examination) eventsDeadLetters(ctx context.Context) Verdict {
	url := e.Parts.EventsDeadLetters
	q, v, ok := e.ask(ctx, deployment.EventsDeadLetterQueue, url)
	if !ok {
		return v
	}
	return judgeDeadLetters(q, "SES events could not be written into the ledger",
		"see one, and the log of the function events: aws sqs receive-message --queue-url "+url,
		fmt.Sprintf("when the reason is gone, try them again: aws sqs start-message-move-task --source-arn %s --destination-arn %s",
			q.ARN, e.queue.ARN))
}

func (e *examination) scheduleDeadLetters(ctx context.Context) Verdict {
	url := e.Parts.ScheduleDeadLetters
	q, v, ok := e.ask(ctx, deployment.ScheduleDeadLetterQueue, url)
	if !ok {
		return v
	}
	return judgeDeadLetters(q, "scheduled campaigns were not started",
		"see which and why: aws sqs receive-message --attribute-names All --message-attribute-names All --queue-url "+url,
		"start by hand what is still wanted (fanmail start NAME), then: aws sqs purge-queue --queue-url "+url)
}

// errNotYet is what the wait for an event goes on for.
var errNotYet = errors.New("the event has not come yet")

func (e *examination) events(ctx context.Context) Verdict {
	if e.Wait <= 0 {
		return skipped("--wait 0: no message was sent")
	}
	set, _ := e.set()
	proof := uuid.New()
	if err := e.AWS.Prove(ctx, e.sender.address, set, proof); err != nil {
		return refused(err, "ses:SendEmail", "SES's answer says what it wants")
	}
	begun := time.Now()
	e.Progress.Step(fmt.Sprintf("waiting up to %s for the event of a message to SES's simulator", e.Wait))
	intervals := backoff.NewExponentialBackOff()
	intervals.MaxInterval = 3 * time.Second
	_, err := backoff.Retry(ctx, func() (bool, error) {
		arrived, err := e.AWS.Witnessed(ctx, proof)
		switch {
		case err != nil:
			err = backoff.Permanent(err)
		case !arrived:
			err = errNotYet
		}
		return arrived, err
	}, backoff.WithBackOff(intervals), backoff.WithMaxElapsedTime(e.Wait))
	took := time.Since(begun)
	e.Progress.Done()
	if err != nil && !errors.Is(err, errNotYet) {
		return judgeAnswer(err, e.Parts.ControlFunction)
	}
	var queue *cloud.Queue
	if err != nil && e.Parts.EventsQueue != "" {
		if q, err := e.AWS.Queue(ctx, e.Parts.EventsQueue); err == nil {
			queue = &q
		}
	}
	return judgeArrival(err == nil, took, e.Wait, queue, sibling(e.Parts.ControlFunction, "events"), e.topics)
}
