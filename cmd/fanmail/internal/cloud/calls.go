package cloud

import "strings"

// Call is a call of AWS that the CLI makes.
type Call struct {
	// Operation is the call as the SDK names it: service and operation.
	Operation string
	// Action is what IAM must allow.
	Action string
	// Resource is what the action is on, in words; "*" where AWS knows no resource for it.
	Resource string
	// Verbs are the commands that make the call.
	Verbs []string
}

// finders are the verbs that look for the stack where the environment does not say where the deployment is.
var finders = []string{"budget", "doctor", "migrate", "plan", "rate", "report", "resolve", "schedule", "start",
	"status", "upload", "whoami"}

// Calls are all calls of AWS that the CLI makes: the IAM policy of an operator (docs/aws.md) allows these actions and
// no others.
var Calls = []Call{
	{"CloudFormation.DescribeStacks", "cloudformation:DescribeStacks", "the stack", finders},
	// CloudFormation asks for this one as well where no stack is named.
	{"CloudFormation.DescribeStacks", "cloudformation:ListStacks", "*", finders},
	// IAM allows this to everybody.
	{"STS.GetCallerIdentity", "sts:GetCallerIdentity", "*", finders},
	{"S3.HeadObject", "s3:GetObject", "objects of the bucket", []string{"start"}},
	{"S3.GetObject", "s3:GetObject", "objects of the bucket", []string{"report"}},
	{"S3.PutObject", "s3:PutObject", "objects of the bucket", []string{"start", "upload"}},
	{"S3.CreateMultipartUpload", "s3:PutObject", "objects of the bucket", []string{"start", "upload"}},
	{"S3.UploadPart", "s3:PutObject", "objects of the bucket", []string{"start", "upload"}},
	{"S3.CompleteMultipartUpload", "s3:PutObject", "objects of the bucket", []string{"start", "upload"}},
	// A large upload that fails in the middle is taken back.
	{"S3.AbortMultipartUpload", "s3:AbortMultipartUpload", "objects of the bucket", []string{"start", "upload"}},
	// The frozen copy of a schedule that was cancelled, or could not be made.
	{"S3.ListObjectsV2", "s3:ListBucket", "the bucket", []string{"schedule", "start"}},
	{"S3.DeleteObject", "s3:DeleteObject", "objects of the bucket below frozen/", []string{"schedule", "start"}},
	// Without this, S3 says of an object that is not there that access is denied.
	{"S3.HeadObject", "s3:ListBucket", "the bucket", []string{"start"}},
	{"S3.GetObject", "s3:ListBucket", "the bucket", []string{"report"}},
	{"SFN.StartExecution", "states:StartExecution", "the state machine", []string{"schedule", "start"}},
	{"SFN.DescribeExecution", "states:DescribeExecution", "executions of the state machine",
		[]string{"schedule", "start", "status"}},
	{"Scheduler.CreateSchedule", "scheduler:CreateSchedule", "schedules of the group", []string{"start"}},
	// The schedule is given the role that starts campaigns.
	{"Scheduler.CreateSchedule", "iam:PassRole", "the role of schedules", []string{"start"}},
	{"Scheduler.GetSchedule", "scheduler:GetSchedule", "schedules of the group", []string{"schedule"}},
	{"Scheduler.ListSchedules", "scheduler:ListSchedules", "*", []string{"schedule", "start"}},
	{"Scheduler.DeleteSchedule", "scheduler:DeleteSchedule", "schedules of the group", []string{"schedule"}},
	{"Lambda.Invoke", "lambda:InvokeFunction", "the functions control and migrate",
		[]string{"doctor", "migrate", "plan", "rate", "report", "resolve", "start", "status", "upload"}},
	{"Lambda.GetAccountSettings", "lambda:GetAccountSettings", "*", []string{"budget", "doctor"}},
	{"Lambda.GetFunctionConcurrency", "lambda:GetFunctionConcurrency", "the functions", []string{"budget", "doctor"}},
	{"SESv2.GetAccount", "ses:GetAccount", "*", []string{"doctor", "plan", "start"}},
	{"SESv2.GetEmailIdentity", "ses:GetEmailIdentity", "identities", []string{"doctor"}},
	{"SESv2.GetConfigurationSet", "ses:GetConfigurationSet", "configuration sets", []string{"doctor"}},
	{"SESv2.GetConfigurationSetEventDestinations", "ses:GetConfigurationSetEventDestinations", "configuration sets",
		[]string{"doctor"}},
	{"SESv2.SendEmail", "ses:SendEmail", "identities and configuration sets", []string{"doctor"}},
	{"SQS.GetQueueAttributes", "sqs:GetQueueAttributes", "the queues", []string{"doctor"}},
}

// actionsOf are the IAM actions of a call; "" for one that the CLI does not make.
func actionsOf(service, operation string) string {
	var actions []string
	for _, call := range Calls {
		if call.Operation == service+"."+operation {
			actions = append(actions, call.Action)
		}
	}
	return strings.Join(actions, " or ")
}
