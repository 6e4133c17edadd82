package cloud

import (
	"testing"

	"fanmail/cmd/fanmail/internal/deployments"
)

func TestWhoamiSaysWhereEverythingComesFrom(t *testing.T) {
	aws := &fake{answers: map[string][]reply{"DescribeStacks": {stacks("", complete("fanmail-prod"))}}}
	c := opened(t, aws, deployments.Choice{Region: deployments.Setting{Value: "eu-west-1", From: "AWS_REGION"}}, map[string]string{"FANMAIL_BUCKET": "mine"})
	f, err := c.Whoami(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Account != account || f.ARN != "arn:aws:iam::123456789012:user/ann" || f.Credentials == "" || f.Stack != (FoundStack{"fanmail-prod", "UPDATE_COMPLETE"}) {
		t.Errorf("%+v", f)
	}
	for what, got := range map[deployments.Setting]deployments.Setting{
		{Value: "prod", From: "the only stack"}:                                  f.Stage,
		{Value: "eu-west-1", From: "AWS_REGION"}:                                 f.Region,
		{Value: "mine", From: "FANMAIL_BUCKET"}:                                  f.Outputs["Bucket"],
		{Value: "fanmail-prod-controlfunction", From: "stack output"}:            f.Outputs["ControlFunction"],
		{Value: "fanmail-prod-scheduledeadletterqueueurl", From: "stack output"}: f.Outputs["ScheduleDeadLetterQueueUrl"],
	} {
		if got != what {
			t.Errorf("got %+v, want %+v", got, what)
		}
	}
	if len(aws.warned) > 0 {
		t.Error(aws.warned)
	}
}

func TestWhoamiShowsWhatItCan(t *testing.T) {
	// Nobody answers: what the environment gives is shown all the same, and the reason once.
	aws := &fake{answers: map[string][]reply{"GetCallerIdentity": {xmlError(403, "InvalidClientTokenId", "The security token included in the request is invalid.")}}}
	f, err := opened(t, aws, deployments.Choice{}, map[string]string{"FANMAIL_BUCKET": "mine"}).Whoami(t.Context())
	wantError(t, err, "asking who calls: InvalidClientTokenId")
	if f.Outputs["Bucket"].Value != "mine" || f.Outputs["ControlFunction"].From != "" || f.Region.Value != "eu-west-1" {
		t.Errorf("%+v", f)
	}
	// There is no stack.
	aws = &fake{answers: map[string][]reply{"DescribeStacks": {xmlError(400, "ValidationError", "Stack with id fanmail-prod does not exist")}}}
	f, err = opened(t, aws, chosen("prod"), nil).Whoami(t.Context())
	wantError(t, err, "there is no stack fanmail-prod")
	if f.Account != account || f.Stage.From != "--stage" {
		t.Errorf("%+v", f)
	}
	// It is an old one, and contradicts the environment.
	aws = &fake{answers: map[string][]reply{"DescribeStacks": {stacks("", "fanmail-prod CREATE_COMPLETE Bucket=b StateMachineArn=s ControlFunction=c")}}}
	f, err = opened(t, aws, chosen("prod"), map[string]string{"FANMAIL_BUCKET": "mine"}).Whoami(t.Context())
	wantError(t, err, "FANMAIL_BUCKET is mine, but Bucket of the stack fanmail-prod (--stage) is b")
	if len(aws.warned) != 1 || f.Outputs["MigrateFunction"] != (deployments.Setting{}) {
		t.Errorf("warned of %q; %+v", aws.warned, f)
	}
}
