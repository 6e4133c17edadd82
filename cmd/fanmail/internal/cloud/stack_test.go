package cloud

import (
	"errors"
	"slices"
	"testing"

	"fanmail/cmd/fanmail/internal/deployments"
	"fanmail/shared/deployment"
)

func TestTheStackOfTheStageIsFound(t *testing.T) {
	aws := &fake{answers: map[string][]reply{"DescribeStacks": {stacks("", complete("fanmail-prod"))}}}
	c := opened(t, aws, chosen("prod"), nil)
	if err := c.Need(t.Context(), deployment.Outputs...); err != nil {
		t.Fatal(err)
	}
	bucket, err := c.output(t.Context(), deployment.Bucket)
	if bucket != "fanmail-prod-bucket" || err != nil {
		t.Error(bucket, err)
	}
	// It is asked for once, and by its name alone.
	if !slices.Equal(aws.asked, []string{"DescribeStacks fanmail-prod"}) {
		t.Error(aws.asked)
	}
}

func TestWithoutAStageTheOnlyStackIsFoundOnAnyPage(t *testing.T) {
	aws := &fake{answers: map[string][]reply{"DescribeStacks": {
		stacks("more", "website CREATE_COMPLETE Bucket=w", "fanmail CREATE_COMPLETE Bucket=x", "fanmail-site CREATE_COMPLETE Bucket=x"),
		stacks("", complete("other-prod"), complete("fanmail-dev")),
	}}}
	c := opened(t, aws, chosen(""), nil)
	stack, err := c.Stack(t.Context())
	if err != nil || stack.Name != "fanmail-dev" || stack.Stage() != "dev" || stack.Outputs["Bucket"] != "fanmail-dev-bucket" {
		t.Errorf("%+v %v", stack, err)
	}
	if !slices.Equal(aws.asked, []string{"DescribeStacks", "DescribeStacks more"}) {
		t.Error(aws.asked)
	}
}

func TestNoStackAndTwoStacksAreOneLine(t *testing.T) {
	missing := xmlError(400, "ValidationError", "Stack with id fanmail-prod does not exist")
	for _, c := range []struct {
		name, stage string
		answer      reply
		none        bool
		want        string
	}{
		{"of the stage", "prod", missing, true, "there is no stack fanmail-prod (stage from --stage) in the region eu-west-1 of the account 123456789012"},
		{"at all", "", stacks("", "website CREATE_COMPLETE"), true, "there is no stack of Fanmail in the region eu-west-1 of the account 123456789012"},
		{"at all", "", stacks(""), true, "deploy one with `make deploy STAGE=dev`, or name another --region or --profile"},
		{"with outputs", "", stacks("", "fanmail-dev ROLLBACK_COMPLETE"), true,
			"there is no stack with the outputs of Fanmail in the region eu-west-1 of the account 123456789012"},
		{"with outputs", "", stacks("", "fanmail-dev UPDATE_ROLLBACK_COMPLETE ServerlessDeploymentBucketName=x"), true, "there is fanmail-dev (UPDATE_ROLLBACK_COMPLETE): deploy again with `make deploy STAGE=dev`"},
		{"two", "", stacks("", complete("fanmail-dev"), complete("fanmail-prod")), false,
			"there are 2 stacks of Fanmail in the region eu-west-1 of the account 123456789012"},
		{"two", "", stacks("", complete("fanmail-dev"), complete("fanmail-prod")), false,
			"fanmail-dev (UPDATE_COMPLETE), fanmail-prod (UPDATE_COMPLETE): choose one with --stage, as in --stage dev, or for good with `fanmail use NAME --stage dev`"},
	} {
		cloud := opened(t, &fake{answers: map[string][]reply{"DescribeStacks": {c.answer}}}, chosen(c.stage), nil)
		err := cloud.Need(t.Context(), deployment.Bucket, deployment.StateMachine)
		wantError(t, err, c.want)
		if errors.Is(err, ErrNoStack) != c.none {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAStackInABadStateSaysSo(t *testing.T) {
	for status, want := range map[string]string{
		"DELETE_IN_PROGRESS":   "the stack fanmail-prod is in the state DELETE_IN_PROGRESS: when it is gone, deploy again",
		"DELETE_FAILED":        "remove it with `make remove STAGE=prod`, then deploy again",
		"ROLLBACK_COMPLETE":    "remove it with `make remove STAGE=prod`, then deploy again",
		"ROLLBACK_FAILED":      "remove it with `make remove STAGE=prod`, then deploy again",
		"CREATE_FAILED":        "remove it with `make remove STAGE=prod`, then deploy again",
		"CREATE_IN_PROGRESS":   "its first deployment is not finished",
		"ROLLBACK_IN_PROGRESS": "its first deployment is not finished",
		"REVIEW_IN_PROGRESS":   "its first deployment is not finished",
	} {
		aws := &fake{answers: map[string][]reply{"DescribeStacks": {stacks("", "fanmail-prod "+status+" Bucket=x")}}}
		wantError(t, opened(t, aws, chosen("prod"), nil).Need(t.Context(), deployment.Bucket), want)
	}
	for status, want := range map[string]string{
		"UPDATE_FAILED":                       "deploy again with `make deploy STAGE=prod`",
		"UPDATE_ROLLBACK_FAILED":              "`aws cloudformation continue-update-rollback --stack-name fanmail-prod`",
		"UPDATE_IN_PROGRESS":                  "",
		"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "",
		"UPDATE_ROLLBACK_COMPLETE":            "",
		"IMPORT_COMPLETE":                     "",
	} {
		aws := &fake{answers: map[string][]reply{"DescribeStacks": {stacks("", "fanmail-prod "+status+" Bucket=x")}}}
		if err := opened(t, aws, chosen("prod"), nil).Need(t.Context(), deployment.Bucket); err != nil {
			t.Errorf("%s: %v", status, err)
		}
		switch {
		case want == "" && len(aws.warned) == 0:
		case len(aws.warned) != 1:
			t.Errorf("%s: warned of %q", status, aws.warned)
		default:
			wantError(t, errors.New(aws.warned[0]), want)
		}
	}
}

func TestTheReasonOfABadStateIsInTheSameLine(t *testing.T) {
	s := Stack{Name: "fanmail-prod", Status: "ROLLBACK_COMPLETE", Reason: "The following resource(s) failed:\n  [SendLambdaFunction]. "}
	what, usable := s.trouble()
	if usable {
		t.Error("it is usable")
	}
	wantError(t, errors.New(what), "is in the state ROLLBACK_COMPLETE, The following resource(s) failed: [SendLambdaFunction].: remove it")
}

func TestAnOldStackNamesAllOutputsThatItLacks(t *testing.T) {
	aws := &fake{answers: map[string][]reply{"DescribeStacks": {stacks("", "fanmail-prod CREATE_COMPLETE Bucket=b StateMachineArn=s ControlFunction=c")}}}
	c := opened(t, aws, chosen(""), map[string]string{"FANMAIL_EVENTS_QUEUE_URL": "q"})
	wantError(t, c.Need(t.Context(), deployment.Bucket, deployment.MigrateFunction, deployment.EventsQueue, deployment.ScheduleGroup),
		"the stack fanmail-prod has no output MigrateFunction (the function that keeps tables and role): an older Fanmail deployed it, or the deployment failed: deploy again with `make deploy STAGE=prod`, or set FANMAIL_MIGRATE_FUNCTION",
		"the stack fanmail-prod has no output ScheduleGroup")
}

func TestWhatTheEnvironmentGivesIsNotAskedFor(t *testing.T) {
	aws := &fake{answers: map[string][]reply{}}
	env := map[string]string{"FANMAIL_BUCKET": "b", "FANMAIL_CONTROL_FUNCTION": "c"}
	stage := deployments.Choice{Stage: deployments.Setting{Value: "prod", From: "FANMAIL_STAGE"}}
	c := opened(t, aws, stage, env)
	if err := c.Need(t.Context(), deployment.Bucket, deployment.ControlFunction); err != nil || len(aws.asked) > 0 {
		t.Errorf("%v, asked %q", err, aws.asked)
	}
}

func TestTheEnvironmentWinsUnlessItContradictsTheCommandLine(t *testing.T) {
	env := map[string]string{"FANMAIL_BUCKET": "mine"}
	answers := func() map[string][]reply {
		return map[string][]reply{"DescribeStacks": {stacks("", complete("fanmail-prod"))}}
	}
	stage := deployments.Choice{Stage: deployments.Setting{Value: "prod", From: "FANMAIL_STAGE"}}
	c := opened(t, &fake{answers: answers()}, stage, env)
	if err := c.Need(t.Context(), deployment.Bucket, deployment.ControlFunction); err != nil {
		t.Error(err)
	}
	if bucket, err := c.output(t.Context(), deployment.Bucket); bucket != "mine" || err != nil {
		t.Error(bucket, err)
	}
	c = opened(t, &fake{answers: answers()}, chosen("prod"), env)
	wantError(t, c.Need(t.Context(), deployment.Bucket, deployment.ControlFunction),
		"FANMAIL_BUCKET is mine, but Bucket of the stack fanmail-prod (--stage) is fanmail-prod-bucket: unset the variable, or leave out --stage")
	c = opened(t, &fake{answers: answers()}, chosen("prod"), map[string]string{"FANMAIL_BUCKET": "fanmail-prod-bucket"})
	if err := c.Need(t.Context(), deployment.Bucket); err != nil {
		t.Error(err)
	}
}
