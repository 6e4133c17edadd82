package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
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
	Examine(ctx context.Context) (workflow.Database, error)
	Prove(ctx context.Context, from, configurationSet string, id uuid.UUID) error
	Witnessed(ctx context.Context, id uuid.UUID) (bool, error)
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

// unknown is the verdict on a part of the deployment that nobody named.
func unknown(o deployment.Output) Verdict {
	return skipped("%s is not set: it is %s, the stack output %s", o.Variable, o.What, o.Key)
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

func (e *examination) database(ctx context.Context) (v Verdict) {
	var err error
	e.asked = time.Now()
	e.db, err = e.AWS.Examine(ctx)
	e.after = time.Now()
	if err != nil {
		return judgeAnswer(err, e.Parts.ControlFunction)
	}
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
