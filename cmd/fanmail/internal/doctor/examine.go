package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/folder"
	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

// AWS are the calls that an examination makes.
type AWS interface {
	Region() string
	Caller(ctx context.Context) (cloud.Caller, error)
	Account(ctx context.Context) (*sesv2.GetAccountOutput, error)
	EmailIdentity(ctx context.Context, name string) (*sesv2.GetEmailIdentityOutput, error)
	ConfigurationSet(ctx context.Context, name string) (*sesv2.GetConfigurationSetOutput, error)
	EventDestinations(ctx context.Context, name string) ([]types.EventDestination, error)
	Queue(ctx context.Context, url string) (cloud.Queue, error)
	Concurrency(ctx context.Context, functions []deployment.Function) (cloud.Concurrency, error)
	Control(ctx context.Context, in workflow.ControlInput) (workflow.ControlOutput, error)
	Prove(ctx context.Context, from, configurationSet string, id uuid.UUID) error
}

// Parts are parts of the deployment: names and URLs, "" when they are not known.
type Parts struct {
	ControlFunction, ConfigurationSet, EventsQueue, EventsDeadLetters, ScheduleDeadLetters string
}

// Patient is what is examined.
type Patient struct {
	// AWS is nil when the deployment was not found: Unopened says why.
	AWS      AWS
	Unopened error
	Parts    Parts
	// Folder is the campaign folder in the directory Path; nil when none was given.
	Folder *folder.Result
	Path   string
	// From is the sender, with or without a name; "" means that of the folder.
	From string
	DNS  Resolver
	// Wait is how long the event of a message to the simulator may take. 0 sends none.
	Wait     time.Duration
	Progress terminal.Progress
}

// examination is what the checks have found out for each other.
type examination struct {
	Patient
	caller       cloud.Caller
	db           workflow.Database
	asked, after time.Time
	account      *sesv2.GetAccountOutput
	sender       sender
	identities   []identity
	topics       []string
	// queue is the queue of events.
	queue cloud.Queue
}

// judgeCaller judges why AWS does not say who we are.
func judgeCaller(err error) Verdict {
	if _, ok := errors.AsType[*cloud.Refusal](err); ok || strings.Contains(err.Error(), "credentials") {
		return failed(err.Error(),
			"log in again (aws sso login, aws login), or set AWS_PROFILE; aws sts get-caller-identity tries it")
	}
	return failed(err.Error(), "see that this machine reaches AWS, and that AWS_REGION is a Region")
}

// sibling is the name of another function of the deployment that the control function, a name or an ARN, is of.
func sibling(control, key string) string {
	name := control[strings.LastIndex(control, ":")+1:]
	return strings.TrimSuffix(name, "control") + key
}

// refused is the verdict on a call that AWS did not do.
func refused(err error, action string, next ...string) Verdict {
	if r, ok := errors.AsType[*cloud.Refusal](err); ok && r.Denied() {
		next = []string{"let an administrator allow you " + action + ": docs/aws.md has the policy of an operator"}
	}
	if len(next) == 0 {
		next = []string{"run it again in a minute"}
	}
	return failed(err.Error(), next...)
}

func (e *examination) folder(context.Context) Verdict {
	if e.Folder == nil {
		return skipped("no campaign folder was named")
	}
	if n := len(e.Folder.Problems); n > 0 {
		return failed(fmt.Sprintf("%s has problems, %d in all; the first: %s",
			e.Path, n, e.Folder.Problems[0]), "fanmail check "+e.Path)
	}
	return passed("%s: %s recipients, %s lines rejected", e.Folder.Campaign,
		terminal.Number(e.Folder.Recipients), terminal.Number(e.Folder.Rejected))
}

func (e *examination) deployment(context.Context) Verdict {
	if e.Unopened != nil {
		v := refused(e.Unopened, "cloudformation:DescribeStacks",
			"name the deployment: --stage, --region and --profile, or fanmail use NAME; fanmail whoami shows which one is meant")
		v.Finding = strings.ReplaceAll(v.Finding, "\n", "; ")
		return v
	}
	return passed("%s in %s", e.Parts.ControlFunction, e.AWS.Region())
}

func (e *examination) credentials(ctx context.Context) (v Verdict) {
	var err error
	if e.caller, err = e.AWS.Caller(ctx); err != nil {
		return judgeCaller(err)
	}
	return passed("%s", e.caller.ARN)
}

func (e *examination) clock(context.Context) Verdict {
	if !e.caller.Answered {
		return skipped("AWS did not tell the time")
	}
	return judgeClock(e.caller.Skew)
}

func (e *examination) database(ctx context.Context) Verdict {
	e.asked = time.Now()
	out, err := e.AWS.Control(ctx, workflow.ControlInput{Action: workflow.ActionExamine})
	e.after = time.Now()
	if err == nil && out.Database == nil {
		err = &cloud.FunctionError{Type: "InvalidRequest", Message: "they do not know the action examine"}
	}
	if err != nil {
		return judgeAnswer(err, e.Parts.ControlFunction)
	}
	e.db = *out.Database
	return passed("the functions reach PostgreSQL %s as %s", e.db.Version, e.db.RoleName)
}

func (e *examination) schema(context.Context) Verdict       { return judgeSchema(e.db) }
func (e *examination) roleLimit(context.Context) Verdict    { return judgeRoleLimit(e.db) }
func (e *examination) roleSettings(context.Context) Verdict { return judgeRoleSettings(e.db) }

func (e *examination) concurrency(ctx context.Context) Verdict {
	functions, err := deployment.Functions()
	if err != nil {
		return failed(err.Error(), "correct functions.yml")
	}
	found, err := e.AWS.Concurrency(ctx, functions)
	if err != nil {
		return refused(err, "lambda:GetAccountSettings and lambda:GetFunctionConcurrency")
	}
	return judgeConcurrency(e.db.Bound, found)
}

func (e *examination) connections(context.Context) Verdict {
	functions, err := deployment.Functions()
	if err != nil {
		return failed(err.Error(), "correct functions.yml")
	}
	others := deployment.Bound(functions) - deployment.Senders(functions)
	return judgeConnections(e.db, max(0, e.db.Bound-others))
}

func (e *examination) ledgerClock(context.Context) Verdict {
	return judgeLedgerClock(e.db.Clock, e.asked.Add(e.caller.Skew), e.after.Add(e.caller.Skew))
}

func (e *examination) ses(ctx context.Context) (v Verdict) {
	var err error
	if e.account, err = e.AWS.Account(ctx); err != nil {
		return refused(err, "ses:GetAccount")
	}
	return passed("SES answers in %s", e.AWS.Region())
}

func (e *examination) sandbox(context.Context) Verdict { return judgeSandbox(e.account) }
func (e *examination) sending(context.Context) Verdict { return judgeSending(e.account) }
func (e *examination) quota(context.Context) Verdict   { return judgeQuota(e.account) }

func (e *examination) identity(ctx context.Context) Verdict {
	from := e.From
	if from == "" && e.Folder != nil && e.Folder.Settings != nil {
		from = e.Folder.Settings.From
	}
	if from == "" {
		return skipped("no sender is known: name a campaign folder, or --from ADDRESS")
	}
	var err error
	if e.sender, err = parseSender(from); err != nil {
		return failed(err.Error(), "write an address such as news@example.com")
	}
	for _, name := range e.sender.names() {
		out, err := e.AWS.EmailIdentity(ctx, name)
		if err != nil {
			return refused(err, "ses:GetEmailIdentity")
		}
		if out != nil {
			e.identities = append(e.identities, identity{name, out})
		}
	}
	return judgeIdentity(e.sender, e.identities)
}

func (e *examination) dkim(ctx context.Context) Verdict {
	var absent []record
	i, _ := signer(e.identities)
	if i.GetEmailIdentityOutput == nil {
		return judgeDKIM(e.sender, e.identities, nil, nil)
	}
	for _, r := range i.dkimRecords() {
		found, err := texts(ctx, e.DNS, r.name)
		if err != nil {
			return judgeDKIM(e.sender, e.identities, nil, err)
		}
		if !strings.Contains(strings.Join(found, ""), "p=") {
			absent = append(absent, r)
		}
	}
	return judgeDKIM(e.sender, e.identities, absent, nil)
}

func (e *examination) spf(ctx context.Context) Verdict {
	var found []string
	var err error
	if _, m := mailFrom(e.identities); m.MailFromDomain != nil {
		found, err = texts(ctx, e.DNS, *m.MailFromDomain)
	}
	return judgeSPF(e.sender, e.identities, e.AWS.Region(), found, err)
}

func (e *examination) dmarc(ctx context.Context) Verdict {
	p, err := lookupDMARC(ctx, e.DNS, e.sender)
	return judgeDMARC(e.sender, e.identities, p, err)
}

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

// unknown is the verdict on a part of the deployment that nobody named.
func unknown(o deployment.Output) Verdict {
	return skipped("%s is not set: it is %s, the stack output %s", o.Variable, o.What, o.Key)
}

func (e *examination) eventsQueue(ctx context.Context) Verdict {
	if e.Parts.EventsQueue == "" {
		return unknown(deployment.EventsQueue)
	}
	var err error
	if e.queue, err = e.AWS.Queue(ctx, e.Parts.EventsQueue); err != nil {
		return refused(err, "sqs:GetQueueAttributes", "fanmail whoami shows which deployment is asked")
	}
	return judgeQueue(e.queue)
}

func (e *examination) eventsDeadLetters(ctx context.Context) Verdict {
	url := e.Parts.EventsDeadLetters
	if url == "" {
		return unknown(deployment.EventsDeadLetterQueue)
	}
	q, err := e.AWS.Queue(ctx, url)
	if err != nil {
		return refused(err, "sqs:GetQueueAttributes", "fanmail whoami shows which deployment is asked")
	}
	return judgeDeadLetters(q, "SES events could not be written into the ledger",
		"see one, and the log of the function events: aws sqs receive-message --queue-url "+url,
		fmt.Sprintf("when the reason is gone, try them again: aws sqs start-message-move-task --source-arn %s --destination-arn %s",
			q.ARN, e.queue.ARN))
}

func (e *examination) scheduleDeadLetters(ctx context.Context) Verdict {
	url := e.Parts.ScheduleDeadLetters
	if url == "" {
		return unknown(deployment.ScheduleDeadLetterQueue)
	}
	q, err := e.AWS.Queue(ctx, url)
	if err != nil {
		return refused(err, "sqs:GetQueueAttributes", "fanmail whoami shows which deployment is asked")
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
		out, err := e.AWS.Control(ctx, workflow.ControlInput{Action: workflow.ActionExamine, Proof: proof.String()})
		switch {
		case err != nil:
			return false, backoff.Permanent(err)
		case out.Database == nil || out.Database.WitnessedAt.IsZero():
			return false, errNotYet
		}
		return true, nil
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
