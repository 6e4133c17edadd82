package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"fanmail/cmd/fanmail/internal/terminal"
	"fanmail/shared/deployment"
)

// Stack is the CloudFormation stack of a deployment.
type Stack struct {
	Name, Status string
	// Reason is what CloudFormation says of the status; often nothing.
	Reason string
	// Outputs are its outputs by key.
	Outputs map[string]string
}

// Stage is the stage that the stack was deployed for.
func (s Stack) Stage() string { return strings.TrimPrefix(s.Name, deployment.StackName("")) }

// ours tells whether the stack is one of Fanmail: another one may have a name like ours.
func (s Stack) ours() bool {
	return s.Outputs[deployment.StateMachine.Key] != "" && s.Outputs[deployment.ControlFunction.Key] != ""
}

// ErrNoStack is in Stack's error where no stack of Fanmail is there.
var ErrNoStack = errors.New("there is no stack")

// Stack finds the stack of the deployment: that of the stage, or the only one that there is. A stack in a state in
// which nothing works is an error that says what to do.
func (c *Cloud) Stack(ctx context.Context) (Stack, error) {
	c.lookup.Lock()
	defer c.lookup.Unlock()
	if c.found != nil {
		return *c.found, nil
	}
	find := c.onlyStack
	if c.choice.Stage.Value != "" {
		find = c.stackOfStage
	}
	s, err := find(ctx)
	if err != nil {
		return s, err
	}
	if trouble, usable := s.trouble(); trouble != "" {
		if !usable {
			return s, errors.New(trouble)
		}
		c.warn(trouble)
	}
	c.found = &s
	return s, nil
}

func (c *Cloud) stackOfStage(ctx context.Context) (Stack, error) {
	name := deployment.StackName(c.choice.Stage.Value)
	described, err := c.cloudFormation.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if isNoStack(err) || err == nil && len(described.Stacks) == 0 {
		return Stack{Name: name}, fmt.Errorf("%w %s (stage from %s) %s: deploy it with `make deploy STAGE=%s`, or "+
			"name another --stage, --region or --profile",
			ErrNoStack, name, c.choice.Stage.From, c.where(ctx), c.choice.Stage.Value)
	}
	if err != nil {
		return Stack{Name: name}, c.explain(ctx, "asking for the stack "+name, err)
	}
	return stackOf(described.Stacks[0]), nil
}

// isNoStack recognizes CloudFormation's answer for a stack that there is not; it has no error code of its own.
func isNoStack(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "ValidationError" && strings.HasSuffix(api.ErrorMessage(), "does not exist")
}

// onlyStack looks through all stacks of the region.
func (c *Cloud) onlyStack(ctx context.Context) (Stack, error) {
	var ours, others []Stack
	pages := cloudformation.NewDescribeStacksPaginator(c.cloudFormation, &cloudformation.DescribeStacksInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			explained := c.explain(ctx, "looking for the stack of Fanmail", err)
			if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() == "AccessDenied" {
				return Stack{}, fmt.Errorf("%w; with --stage it is asked for that one stack only", explained)
			}
			return Stack{}, explained
		}
		for _, described := range page.Stacks {
			switch s := stackOf(described); {
			case s.Stage() == s.Name:
			case s.ours():
				ours = append(ours, s)
			default:
				others = append(others, s)
			}
		}
	}
	switch {
	case len(ours) == 1:
		return ours[0], nil
	case len(ours) > 1:
		return Stack{}, fmt.Errorf("there are %d stacks of Fanmail %s: %s: choose one with --stage, as in --stage "+
			"%s, or for good with `fanmail use NAME --stage %[4]s`",
			len(ours), c.where(ctx), list(ours), ours[0].Stage())
	case len(others) > 0:
		return Stack{}, fmt.Errorf("%w with the outputs of Fanmail %s; there is %s: deploy again with "+
			"`make deploy STAGE=%s`, or name another --region or --profile",
			ErrNoStack, c.where(ctx), list(others), others[0].Stage())
	}
	return Stack{}, fmt.Errorf("%w of Fanmail %s: deploy one with `make deploy STAGE=dev`, or name another "+
		"--region or --profile", ErrNoStack, c.where(ctx))
}

func stackOf(s types.Stack) Stack {
	found := Stack{
		Name: aws.ToString(s.StackName), Status: string(s.StackStatus), Reason: aws.ToString(s.StackStatusReason),
		Outputs: map[string]string{},
	}
	for _, o := range s.Outputs {
		found.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return found
}

func list(stacks []Stack) string {
	names := make([]string, len(stacks))
	for i, s := range stacks {
		names[i] = fmt.Sprintf("%s (%s)", s.Name, s.Status)
	}
	return strings.Join(names, ", ")
}

// trouble says what is wrong with the state of a stack, and what to do; "" for nothing. A stack whose update failed
// is usable: what runs in it must be looked at.
func (s Stack) trouble() (what string, usable bool) {
	because := ""
	if s.Reason != "" {
		because = ", " + terminal.OneLine(s.Reason)
	}
	state := fmt.Sprintf("the stack %s is in the state %s%s", s.Name, s.Status, because)
	switch types.StackStatus(s.Status) {
	case types.StackStatusDeleteInProgress:
		return state + ": when it is gone, deploy again with `make deploy STAGE=" + s.Stage() + "`", false
	case types.StackStatusDeleteFailed, types.StackStatusRollbackComplete, types.StackStatusRollbackFailed,
		types.StackStatusCreateFailed:
		return fmt.Sprintf("%s: remove it with `make remove STAGE=%s`, then deploy again", state, s.Stage()), false
	case types.StackStatusCreateInProgress, types.StackStatusRollbackInProgress, types.StackStatusReviewInProgress:
		return state + ": its first deployment is not finished: wait for its end, and look at `fanmail whoami`", false
	case types.StackStatusUpdateRollbackFailed:
		return fmt.Sprintf("%s: its parts may be of two versions: `aws cloudformation continue-update-rollback "+
			"--stack-name %s`, then deploy again", state, s.Name), true
	case types.StackStatusUpdateFailed:
		return fmt.Sprintf("%s: its parts may be of two versions: deploy again with `make deploy STAGE=%s`",
			state, s.Stage()), true
	}
	return "", true
}
