package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"fanmail/experiment"
	"fanmail/local"
	"fanmail/local/faults"
	"fanmail/shared/deployment"
)

// runtime is one life of the local runtime: a process, and what it answers.
type runtime struct {
	*process
	endpoint, bucket, machine string
	executions                *sfn.Client
}

// startRuntime starts `fanmail local` on directory; name is that of its output files in logs.
func startRuntime(ctx context.Context, o *options, directory, logs, name string) (*runtime, error) {
	p, err := launch(o.program, []string{
		"local", "--port", "0", "--directory", directory, "--lambdas", o.lambdas,
		"--rate", strconv.FormatFloat(o.rate, 'f', -1, 64), "--daily-quota", "-1",
		"--visibility-timeout", visibility.String(),
		"--env", "FANMAIL_SES_TIMEOUT=" + o.sesTimeout.String(), "--env", "FANMAIL_GRACE=" + o.grace.String(),
	}, environment(), logs, name)
	if err != nil {
		return nil, err
	}
	variables, err := p.awaitReady(ctx)
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	r := &runtime{process: p, endpoint: variables["AWS_ENDPOINT_URL"], bucket: variables["FANMAIL_BUCKET"], machine: variables["FANMAIL_STATE_MACHINE_ARN"]}
	r.executions = sfn.NewFromConfig(experiment.ClientConfig(r.endpoint))
	return r, nil
}

// environment is ours without what would lead the runtime to another database or another AWS: the experiment kills sessions.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "DATABASE_") || strings.HasPrefix(variable, "FANMAIL_") || strings.HasPrefix(variable, "AWS_")
	})
}

// call sends in, unless it is nil, as JSON, and reads the JSON answer into out.
func (r *runtime) call(ctx context.Context, path, target string, in, out any) error {
	method, body := http.MethodGet, io.Reader(nil)
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		method, body = http.MethodPost, bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.endpoint+path, body)
	if err != nil {
		return err
	}
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	answer, err := experiment.Client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}

// counts are what the faults of this life have done.
func (r *runtime) counts(ctx context.Context) (faults.Counts, error) {
	var answer struct {
		Counts faults.Counts `json:"counts"`
	}
	err := r.call(ctx, "/_faults", "", nil, &answer)
	return answer.Counts, err
}

// trouble replaces the faults, and makes SES as slow as it is to be.
func (r *runtime) trouble(ctx context.Context, s faults.Settings) error {
	var answer json.RawMessage
	if err := r.call(ctx, "/_ses/settings", "", map[string]float64{"latencyMilliseconds": float64(latency.Milliseconds())}, &answer); err != nil {
		return err
	}
	return r.call(ctx, "/_faults", "", s, &answer)
}

// accepted is how many messages are in the mailbox.
func (r *runtime) accepted(ctx context.Context) (int64, error) {
	var answer struct {
		Messages int64 `json:"messages"`
	}
	err := r.call(ctx, "/_mailbox", "", nil, &answer)
	return answer.Messages, err
}

// queued is how many messages the queues hold, and how many of them are in dead-letter queues.
func (r *runtime) queued(ctx context.Context) (waiting, dead int64, err error) {
	queues, err := deployment.Queues()
	if err != nil {
		return 0, 0, err
	}
	for _, q := range queues {
		var answer struct{ Attributes map[string]string }
		err := r.call(ctx, "/", "AmazonSQS.GetQueueAttributes", map[string]any{
			"QueueUrl": r.endpoint + "/" + local.Account + "/" + q.Name, "AttributeNames": []string{"All"},
		}, &answer)
		if err != nil {
			return 0, 0, err
		}
		n := int64(0)
		for _, attribute := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
			count, err := strconv.ParseInt(answer.Attributes[attribute], 10, 64)
			if err != nil {
				return 0, 0, fmt.Errorf("the queue %s: %s: %w", q.Name, attribute, err)
			}
			n += count
		}
		if isDeadLetters(queues, q.Name) {
			dead += n
		} else {
			waiting += n
		}
	}
	return waiting, dead, nil
}

func isDeadLetters(queues []deployment.Queue, name string) bool {
	return slices.ContainsFunc(queues, func(q deployment.Queue) bool { return q.DeadLetterQueue == name })
}

// functionLogs are the log files of the functions.
func functionLogs(directory string) ([]string, error) {
	return filepath.Glob(filepath.Join(directory, "logs", "*"))
}
