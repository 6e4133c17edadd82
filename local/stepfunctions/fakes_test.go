package stepfunctions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// functions is a Lambda whose functions are Go functions by name.
type functions map[string]func(ctx context.Context, input map[string]any) (any, error)

// functionError is the error of a function: errorType and errorMessage of its answer.
type functionError struct{ kind, message string }

func (e *functionError) Error() string { return e.kind + ": " + e.message }

func (f functions) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	name := aws.ToString(in.FunctionName)
	if i := strings.LastIndex(name, ":"); i >= 0 {
		name = name[i+1:]
	}
	function, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("no such function: %s", name)
	}
	var input map[string]any
	value, err := decode(in.Payload)
	if err != nil {
		return nil, err
	}
	input, _ = value.(map[string]any)
	answer, err := function(ctx, input)
	out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: aws.String("$LATEST")}
	var failed *functionError
	if errors.As(err, &failed) {
		out.FunctionError = aws.String("Unhandled")
		out.Payload = []byte(encode(map[string]any{"errorMessage": failed.message, "errorType": failed.kind}))
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.Payload = []byte(encode(answer))
	return out, nil
}

// objects is an S3 in memory, by bucket/key.
type objects struct {
	mu   sync.Mutex
	data map[string]string
}

func bucket(data map[string]string) *objects { return &objects{data: data} }

func (o *objects) GetObject(_ context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text, ok := o.data[*in.Bucket+"/"+*in.Key]
	if !ok {
		return nil, errors.New("NoSuchKey: The specified key does not exist.")
	}
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text))}, nil
}

func (o *objects) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	var text bytes.Buffer
	if _, err := text.ReadFrom(in.Body); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data[*in.Bucket+"/"+*in.Key] = text.String()
	return &s3.PutObjectOutput{}, nil
}

func (o *objects) get(t *testing.T, key string, into any) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	text, ok := o.data[key]
	if !ok {
		t.Fatalf("there is no object %s", key)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("object %s: %v", key, err)
	}
}

// machineOf loads a definition into a new service that is closed at the end of the test.
func machineOf(t *testing.T, config Config, definition string) (*Service, *machine) {
	t.Helper()
	if config.Lambda == nil {
		config.Lambda = functions{}
	}
	if config.S3 == nil {
		config.S3 = bucket(map[string]string{})
	}
	s := New(config)
	t.Cleanup(func() { s.Close() })
	arn, err := s.CreateStateMachine("machine", []byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.machine(arn)
	if err != nil {
		t.Fatal(err)
	}
	return s, m
}

// begin starts an execution.
func begin(t *testing.T, s *Service, m *machine, input string) *execution {
	t.Helper()
	value, err := decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := s.startExecution(m, fmt.Sprintf("run-%d", len(s.executions)+1), input, value)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// run runs one definition to its end.
func run(t *testing.T, config Config, definition, input string) *execution {
	t.Helper()
	s, m := machineOf(t, config, definition)
	e := begin(t, s, m, input)
	s.working.Wait()
	return e
}

// ended checks how an execution ended: its output as JSON, or "Error: cause".
func ended(t *testing.T, e *execution, want string) {
	t.Helper()
	shown := e.snapshot()
	got := shown.output
	if shown.failure != nil {
		got = shown.failure.Error()
	}
	if got != want {
		t.Errorf("%s with %s\nwant %s", shown.status, got, want)
	}
}

// story is the history as one line for each event: id, previous id, type, name.
func story(e *execution) string {
	var out strings.Builder
	for i, ev := range e.events() {
		name := ev.name
		if ev.kind == mapRunStarted {
			name = ""
		}
		fmt.Fprintf(&out, "%d<-%d %s", i+1, ev.previous, ev.kind)
		if name != "" {
			fmt.Fprintf(&out, " %s", name)
		}
		if ev.failed != nil && ev.failed.name != "" {
			fmt.Fprintf(&out, " %s", ev.failed.name)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func told(t *testing.T, e *execution, want string) {
	t.Helper()
	if got := story(e); got != strings.TrimLeft(want, "\n") {
		t.Errorf("the history is\n%swant\n%s", got, strings.TrimLeft(want, "\n"))
	}
}
