package deploytest

import (
	"bufio"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanmail/shared/deployment"
)

// TestTheStackIsMadeChangedAndRemoved lets osls deploy to moto, where there is no account to pay for, and looks at what
// came of it through AWS's own clients.
func TestTheStackIsMadeChangedAndRemoved(t *testing.T) {
	m := startMoto(t)
	m.deploy(t, noDatabase)
	m.nothingIsLeftOutForNothing(t)
	outputs := m.outputs(t)
	m.functionsAreMade(t)
	m.queuesAreMade(t)
	m.stateMachineIsMade(t, outputs[deployment.StateMachine.Key])
	m.bucketIsMade(t, outputs[deployment.Bucket.Key])
	m.commandFindsTheStack(t, outputs)

	before := m.code(t)
	m.deploy(t, noDatabase)
	if after := m.code(t); !slices.Equal(before, after) {
		t.Errorf("deployed again without a change, the functions have other code or versions:\n%v\nwere\n%v", after, before)
	}

	running := m.definition(t, outputs[deployment.StateMachine.Key])
	const other = "postgres://other.invalid/fanmail"
	m.deploy(t, other)
	m.versionsAreKept(t, running, m.definition(t, outputs[deployment.StateMachine.Key]))
	for _, key := range keys(t) {
		if got := m.function(t, key).Configuration.Environment.Variables["DATABASE_URL"]; got != other {
			t.Errorf("function %s has the database %q, want that of the second deployment", key, got)
		}
	}

	m.removed(t, outputs[deployment.Bucket.Key])
}

// moto is a moto server.
type moto struct {
	url    string
	config aws.Config
	folder string
}

// startMoto starts server.py, which prints its address first.
func startMoto(t *testing.T) moto {
	t.Helper()
	command := exec.CommandContext(t.Context(), python(t, "python"), "server.py")
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		text := readFile(t, log.Name())
		// The SDK repeats a call that fails so, and the test would not see it.
		if strings.Contains(text, "Traceback (most recent call last)") {
			t.Error("moto failed at a call")
		}
		if t.Failed() {
			t.Logf("the end of moto's log:\n%s", text[max(0, len(text)-5000):])
		}
	})
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("moto did not start (%v): %s", err, readFile(t, log.Name()))
	}
	m := moto{url: strings.TrimSpace(url), folder: serviceFolder(t, func(text string) string { return text })}
	m.config, err = config.LoadDefaultConfig(t.Context(), config.WithRegion(region), config.WithBaseEndpoint(m.url),
		config.WithSharedConfigFiles(nil), config.WithSharedCredentialsFiles(nil),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// variables lead a program to moto.
func (m moto) variables() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + m.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=" + region,
	}
}

// deploy lets osls deploy, and wants the stack to get through.
func (m moto) deploy(t *testing.T, databaseURL string) {
	t.Helper()
	if output, code := run(t, m.folder, m.variables(), osls(t), oslsOn("deploy", databaseURL)...); code != 0 {
		t.Fatalf("osls deploy ended with code %d:\n%s", code, output)
	}
	if got := m.stack(t).StackStatus; got != types.StackStatusUpdateComplete {
		t.Fatalf("the stack is in state %s, want %s", got, types.StackStatusUpdateComplete)
	}
}

func (m moto) stack(t *testing.T) types.Stack {
	t.Helper()
	stacks, err := m.stacks(t)
	if err != nil {
		t.Fatal(err)
	}
	return stacks[0]
}

func (m moto) stacks(t *testing.T) ([]types.Stack, error) {
	client, name := cloudformation.NewFromConfig(m.config), deployment.StackName(stage)
	out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return nil, err
	}
	return out.Stacks, nil
}

// outputs are those of the stack: every one of the compiled template, with a value.
func (m moto) outputs(t *testing.T) map[string]string {
	t.Helper()
	outputs := map[string]string{}
	for _, o := range m.stack(t).Outputs {
		outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for key := range m.compiled(t).Outputs {
		if outputs[key] == "" {
			t.Errorf("the stack has no output %s", key)
		}
	}
	return outputs
}

// compiled is the template that osls has just deployed.
func (m moto) compiled(t *testing.T) template {
	t.Helper()
	return readTemplate(t, filepath.Join(m.folder, ".serverless", "cloudformation-template-update-stack.json"))
}

// notMade is a line of the list NOT_MADE in server.py.
var notMade = regexp.MustCompile(`(?m)^    "(AWS::[A-Za-z0-9:]+)",$`)

// nothingIsLeftOutForNothing wants each type that server.py stands in for to be one that the deployment has.
func (m moto) nothingIsLeftOutForNothing(t *testing.T) {
	t.Helper()
	left := map[string]bool{}
	for _, match := range notMade.FindAllStringSubmatch(readFile(t, "server.py"), -1) {
		left[match[1]] = true
	}
	if len(left) == 0 {
		t.Error("server.py has no list NOT_MADE")
	}
	for _, r := range m.compiled(t).Resources {
		delete(left, r.Type)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		t.Errorf("the deployment has no %s: take it out of NOT_MADE in server.py", name)
	}
}

func (m moto) function(t *testing.T, key string) *lambda.GetFunctionOutput {
	t.Helper()
	client, name := lambda.NewFromConfig(m.config), deployment.StackName(stage)+"-"+key
	out, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (m moto) functionsAreMade(t *testing.T) {
	t.Helper()
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		made := m.function(t, f.Key)
		configuration := made.Configuration
		if got := int(aws.ToInt32(configuration.Timeout)); got != int(f.Timeout.Seconds()) {
			t.Errorf("function %s has a timeout of %d s, want %v", f.Key, got, f.Timeout)
		}
		if got := int(aws.ToInt32(configuration.MemorySize)); got != f.MemorySize {
			t.Errorf("function %s has %d MiB, want %d", f.Key, got, f.MemorySize)
		}
		if !strings.HasPrefix(aws.ToString(configuration.Role), "arn:aws:iam::") {
			t.Errorf("function %s has the role %q", f.Key, aws.ToString(configuration.Role))
		}
		reserved := made.Concurrency
		if reserved == nil || int(aws.ToInt32(reserved.ReservedConcurrentExecutions)) != f.ReservedConcurrency {
			t.Errorf("function %s has the concurrency %+v, want %d", f.Key, reserved, f.ReservedConcurrency)
		}
		info, err := os.Stat(absolute(t, "bin", "deploy", f.Key+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		if configuration.CodeSize != info.Size() {
			t.Errorf("function %s has %d bytes of code, want the %d of its own zip", f.Key, configuration.CodeSize, info.Size())
		}
	}
}

func (m moto) queuesAreMade(t *testing.T) {
	t.Helper()
	want := 0
	for _, r := range m.compiled(t).Resources {
		if r.Type == "AWS::SQS::Queue" {
			want++
		}
	}
	out, err := sqs.NewFromConfig(m.config).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(out.QueueUrls); got != want || want == 0 {
		t.Errorf("there are %d queues, want %d", got, want)
	}
	client := lambda.NewFromConfig(m.config)
	mapped, err := client.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	sources := mapped.EventSourceMappings
	if len(sources) != 1 || !strings.HasSuffix(aws.ToString(sources[0].FunctionArn), "-events") {
		t.Errorf("the event sources are %+v, want one of the function events", sources)
	}
}

// stateMachineIsMade also holds its definition against the functions that were made.
func (m moto) stateMachineIsMade(t *testing.T, arn string) {
	t.Helper()
	client := sfn.NewFromConfig(m.config)
	out, err := client.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(aws.ToString(out.RoleArn), "arn:aws:iam::") {
		t.Errorf("the state machine has the role %q", aws.ToString(out.RoleArn))
	}
	definition := aws.ToString(out.Definition)
	for _, key := range []string{"prepare", "plan", "send", "finish"} {
		// The function, or a version of it.
		function := aws.ToString(m.function(t, key).Configuration.FunctionArn)
		if !regexp.MustCompile(`"` + regexp.QuoteMeta(function) + `(:[0-9]+)?"`).MatchString(definition) {
			t.Errorf("the deployed definition does not name %s:\n%s", function, definition)
		}
	}
	if strings.Contains(definition, "${") {
		t.Errorf("the deployed definition has names without a value:\n%s", definition)
	}
}

func (m moto) definition(t *testing.T, arn string) string {
	t.Helper()
	client := sfn.NewFromConfig(m.config)
	out, err := client.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.Definition)
}

// inDefinition is a version of a function.
var inDefinition = regexp.MustCompile(`arn:aws:lambda:[^"]+:function:[^":]+:[0-9]+`)

// versionsAreKept wants an execution that began before a deployment to find its code, and the next one to take the new.
func (m moto) versionsAreKept(t *testing.T, before, after string) {
	t.Helper()
	client := lambda.NewFromConfig(m.config)
	old := inDefinition.FindAllString(before, -1)
	if len(old) == 0 {
		t.Errorf("the definition names no version:\n%s", before)
	}
	for _, version := range slices.Compact(slices.Sorted(slices.Values(old))) {
		if _, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: &version}); err != nil {
			t.Errorf("an execution from before the deployment can't go on: %v", err)
		}
		if strings.Contains(after, `"`+version+`"`) {
			t.Errorf("the new definition still names %s", version)
		}
	}
}

func (m moto) s3() *s3.Client {
	return s3.NewFromConfig(m.config, func(o *s3.Options) { o.UsePathStyle = true })
}

func (m moto) bucketIsMade(t *testing.T, bucket string) {
	t.Helper()
	if _, err := m.s3().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: &bucket, Key: aws.String("reports/spring-sale/report.json"), Body: strings.NewReader("{}"),
	}); err != nil {
		t.Errorf("writing to the bucket %q: %v", bucket, err)
	}
}

// commandFindsTheStack asks the command where it would work, with the stage alone.
func (m moto) commandFindsTheStack(t *testing.T, outputs map[string]string) {
	t.Helper()
	output, code := run(t, root, m.variables(), absolute(t, "bin", "fanmail"), "whoami", "--stage", stage)
	if code != 0 {
		t.Fatalf("fanmail whoami ended with code %d:\n%s", code, output)
	}
	for _, o := range deployment.Outputs {
		if !strings.Contains(output, outputs[o.Key]) {
			t.Errorf("fanmail whoami does not name the output %s, %q:\n%s", o.Key, outputs[o.Key], output)
		}
	}
}

// code is, for each function, the checksum of its code and the number of its versions.
func (m moto) code(t *testing.T) (all []string) {
	t.Helper()
	client := lambda.NewFromConfig(m.config)
	for _, key := range keys(t) {
		configuration := m.function(t, key).Configuration
		in := &lambda.ListVersionsByFunctionInput{FunctionName: configuration.FunctionName}
		out, err := client.ListVersionsByFunction(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, key+" "+aws.ToString(configuration.CodeSha256)+" "+strings.Repeat("v", len(out.Versions)))
	}
	return all
}

// removed removes the stack as `make remove` does: only the bucket stays, and the command says so.
func (m moto) removed(t *testing.T, bucket string) {
	t.Helper()
	output, code := runMake(t, m.folder, m.variables(), "remove", "STAGE="+stage, "REGION="+region)
	if code != 0 || !strings.Contains(output, bucket) {
		t.Errorf("make remove ended with code %d, want it to name the bucket %s:\n%s", code, bucket, output)
	}
	if stacks, err := m.stacks(t); err == nil {
		t.Errorf("the stack is still there: %s", stacks[0].StackStatus)
	}
	functions, err := lambda.NewFromConfig(m.config).ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil || len(functions.Functions) != 0 {
		t.Errorf("%d functions are left (%v)", len(functions.Functions), err)
	}
	buckets, err := m.s3().ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil || len(buckets.Buckets) != 1 || aws.ToString(buckets.Buckets[0].Name) != bucket {
		t.Errorf("the buckets %+v are left (%v), want %s alone", buckets.Buckets, err, bucket)
	}
}
