package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/jackc/pgx/v5"

	"fanmail/local/ses"
)

// runtimeVariable makes this test binary a process with a runtime: its value are the Options that can be written as JSON.
const runtimeVariable = "FANMAIL_TEST_RUNTIME"

// announcement is what such a process says when the runtime is up.
type announcement struct {
	Endpoint, DatabaseURL, StateMachineARN string
}

// runRuntime is that process. It runs until it is killed.
func runRuntime(text string) int {
	var o Options
	err := json.Unmarshal([]byte(text), &o)
	var r *Runtime
	if err == nil {
		r, err = Start(context.Background(), o)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(announcement{r.Endpoint(), r.DatabaseURL(), r.StateMachineARN()})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Its input ends with its parent.
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = r.Close()
	return 0
}

// child is a runtime in a process of its own.
type child struct {
	announcement
	t       *testing.T
	command *exec.Cmd
}

func startChild(t *testing.T, o Options) *child {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, command: exec.Command(os.Args[0])}
	c.command.Env = append(os.Environ(), runtimeVariable+"="+string(text), "DATABASE_URL=")
	var problems bytes.Buffer
	c.command.Stderr = &problems
	if _, err := c.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &c.announcement)
	}
	if err != nil {
		c.kill()
		t.Fatalf("the runtime did not start: %v: %s", err, &problems)
	}
	return c
}

func (c *child) kill() {
	_ = c.command.Process.Kill() // or it is dead already
	_ = c.command.Wait()
}

// mailed is how often SES accepted a message to each address of the list.
func (c *child) mailed() map[string]int {
	c.t.Helper()
	answer, err := http.Get(c.Endpoint + "/_mailbox.jsonl")
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	mailed := map[string]int{}
	for lines := json.NewDecoder(answer.Body); ; {
		var entry ses.Entry
		if err := lines.Decode(&entry); err == io.EOF {
			return mailed
		} else if err != nil {
			c.t.Fatal(err)
		}
		if strings.HasSuffix(entry.To[0], "@example.com") { // else it is a probe
			mailed[entry.To[0]]++
		}
	}
}

// leap lets claims run out without a wait. No sender may be at work, and all events must have arrived: their ways take real time.
func (c *child) leap() {
	c.t.Helper()
	accepted := int64(len(c.mailed()))
	awaitLong(c.t, "the events of all that SES has accepted", func() bool {
		return c.number("select count(*) from fanmail.recipient where confirmed_at is not null") == accepted
	})
	if status, body := post(c.t, c.Endpoint+"/_clock", `{"advance":"10m"}`); status != http.StatusOK {
		c.t.Fatal(body)
	}
}

// number asks the ledger for one.
func (c *child) number(query string) (n int64) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.DatabaseURL)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	if err := conn.QueryRow(c.t.Context(), query).Scan(&n); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (c *child) startCampaign(name string) (arn string) {
	c.t.Helper()
	started, err := sfn.NewFromConfig(ClientConfig(c.Endpoint)).StartExecution(c.t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: &c.StateMachineARN, Input: aws.String(`{"campaign":"` + name + `"}`),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return *started.ExecutionArn
}

// awaitLong is await for what takes its time.
func awaitLong(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestARuntimeThatIsKilledGoesOnInItsDirectory is the real thing: the functions of the deployment, a private PostgreSQL, and
// the whole runtime killed in the midst of a campaign.
func TestARuntimeThatIsKilledGoesOnInItsDirectory(t *testing.T) {
	const n, kills = 1200, 2
	directory := openDirectory(t)
	functions := filepath.Join(directory, "lambdas") + string(filepath.Separator)
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", functions, "fanmail/lambdas/...")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the functions: %v\n%s", err, output)
	}
	o := Options{
		Directory: filepath.Join(directory, "runtime"), LambdaBinaries: functions, Senders: 4,
		SESLatency: 20 * time.Millisecond, MaxSendRate: 400, VisibilityTimeout: 2 * time.Second,
	}
	c := startChild(t, o)
	objects := awss3.NewFromConfig(ClientConfig(c.Endpoint))
	var list strings.Builder
	list.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&list, "recipient-%d@example.com,R %d\n", i, i)
	}
	for name, content := range map[string]string{
		"campaign.yaml": "from: Shop <shop@example.com>\nsubject: Hello {{.name}}\ntext: mail.txt\n", "mail.txt": "Dear {{.name}}\n", "recipients.csv": list.String(),
	} {
		_, err := objects.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: aws.String(BucketName), Key: aws.String("campaigns/spring/" + name), Body: strings.NewReader(content)})
		if err != nil {
			t.Fatal(err)
		}
	}
	execution := c.startCampaign("spring")
	for killed := range kills {
		awaitLong(t, "messages", func() bool { return len(c.mailed()) > (killed+1)*n/(kills+1) })
		var senders []int
		if runtime.GOOS == "linux" {
			senders = processesOf(t, functions)
		}
		c.kill()
		awaitLong(t, "the functions to die with their runtime", func() bool {
			for _, pid := range senders {
				if runs(pid) {
					return false
				}
			}
			return true
		})
		c = startChild(t, o)
		if len(c.mailed()) == n {
			t.Fatal("all was sent before the kill: it came too late for this test")
		}
		c.leap()
		execution = c.startCampaign("spring")
	}
	client := sfn.NewFromConfig(ClientConfig(c.Endpoint))
	var out *sfn.DescribeExecutionOutput
	awaitLong(t, "the end of the campaign", func() bool {
		// Plan waits for what is in doubt; nobody here needs to.
		history, err := client.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: &execution, ReverseOrder: true, MaxResults: 1})
		if err != nil {
			t.Fatal(err)
		}
		if history.Events[0].Type == sfntypes.HistoryEventTypeWaitStateEntered {
			c.leap()
		}
		if out, err = client.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: &execution}); err != nil {
			t.Fatal(err)
		}
		return out.Status != sfntypes.ExecutionStatusRunning
	})
	if out.Status != sfntypes.ExecutionStatusSucceeded {
		t.Fatalf("the execution is %s: %s %s", out.Status, aws.ToString(out.Error), aws.ToString(out.Cause))
	}
	mailed := c.mailed()
	for address, times := range mailed {
		if times != 1 {
			t.Errorf("%s was mailed %d times", address, times)
		}
	}
	if sent := c.number("select count(*) from fanmail.recipient where state = 'sent'"); len(mailed) != n || sent != n {
		t.Errorf("%d of %d were mailed, %d by the ledger: %s", len(mailed), n, sent, aws.ToString(out.Output))
	}
}

// processesOf are the processes whose binary is in a directory, on Linux.
func processesOf(t *testing.T, directory string) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		var pid int
		if _, err := fmt.Sscanf(entry.Name(), "%d", &pid); err != nil {
			continue
		}
		if binary, err := os.Readlink(filepath.Join("/proc", entry.Name(), "exe")); err == nil && strings.HasPrefix(binary, directory) {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		t.Error("no function runs")
	}
	return pids
}

// runs tells whether a process lives: one that nobody has reaped yet is dead.
func runs(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !bytes.Contains(status, []byte("State:\tZ")) && syscall.Kill(pid, 0) == nil
}
