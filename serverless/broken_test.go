package serverless

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheRulesSeeTheirBreaches breaks a copy of a template at one place at a time.
func TestTheRulesSeeTheirBreaches(t *testing.T) {
	variants, texts := readVariants(t)
	const (
		lead, may, where, variables = "every reference leads to a resource", "a function may do what it calls, and no more",
			"a function may do it where it does it, and nowhere else", "a function has the variables that it reads, and no more"
		machine, observed, deployed = "the state machine is that of campaign.asl.json", "the state machine is logged and traced",
			"a function is deployed as functions.yml has it"
		bound, mapped, queues, arrive = "the reserved concurrencies are the bound", "every event source is mapped as the local one",
			"every queue is the local one", "what SES says of a message finds its way to a queue"
		network, outputs, alarms, board = "the functions reach what they call", "the CLI finds all that it needs",
			"who watches hears of what goes wrong", "the dashboard shows every metric"
		early, schedules, safe = "the ledger learns of an execution that ended early", "a schedule may start a campaign, and nothing else",
			"lists and reports are safe"
		named = "two stages, or one in two Regions, share no name"

		secret, iam, password, vpc, endpoints, ownGroup, account = "public-secret", "public-iam", "public-password", "vpc-secret",
			"vpc-endpoints-iam", "vpc-own-sg-password", "account-concurrency"

		r          = "Resources/"
		p          = "/Properties/"
		fields     = p + "Environment/Variables/"
		policy     = p + "PolicyDocument/Statement/0/"
		own        = p + "Policies/0/PolicyDocument/Statement/"
		mapping    = r + "EventsEventSourceMappingSQSEventsQueue" + p
		target     = r + "EventsDestination" + p + "EventDestination/"
		theMachine = r + "FanmailDashdevDashcampaign"
		trust      = p + "AssumeRolePolicyDocument/Statement/0/"
	)
	ref := func(name string) map[string]any { return map[string]any{"Ref": name} }
	silent := maps.Clone(rules)
	for _, b := range []struct {
		variant, rule, place string
		value                any
		want                 string
	}{
		{secret, lead, r + "EventsTopicPolicy" + p + "Topics/0", ref("EventTopic"), "EventsTopicPolicy refers to EventTopic, which is no resource"},
		{secret, lead, r + "EventsQueue" + p + "RedrivePolicy/deadLetterTargetArn/Fn::GetAtt/0", "DeadQueue", "EventsQueue refers to DeadQueue"},
		{secret, lead, r + "EventsTopicPolicy" + policy + "Condition/ArnLike/aws:SourceArn/0/Fn::Sub", "arn:${AWS::Partition}:${Sett}", "EventsTopicPolicy refers to Sett"},

		{secret, machine, theMachine + p + "DefinitionString/Fn::Sub/0", `{"StartAt": "Plan"}`, "the deployed definition differs"},
		{secret, machine, theMachine + p + "DefinitionString/Fn::Sub/1", map[string]any{"x": map[string]any{"Fn::GetAtt": []any{"SendLambdaFunction", "Arn"}}}, "which is no version of a function that is kept"},
		{secret, machine, theMachine + "/Type", "AWS::SQS::Queue", "the template has 0 state machines"},
		{secret, observed, theMachine + p + "LoggingConfiguration/IncludeExecutionData", true, "the log has data"},
		{secret, observed, theMachine + p + "LoggingConfiguration/Destinations", nil, `the log goes to ""`},
		{secret, observed, theMachine + p + "TracingConfiguration/Enabled", false, "the state machine is not traced"},
		{secret, observed, theMachine + p + "StateMachineType", "EXPRESS", `the state machine is of type "EXPRESS"`},
		{secret, observed, r + "CampaignLogGroup" + p + "RetentionInDays", nil, "kept for <nil> days"},
		{secret, observed, r + "CampaignStateMachineRole" + own + "0/Resource/0", map[string]any{"Fn::Sub": "${ControlLambdaFunction.Arn}:*"}, "the state machine may invoke: [ControlLambdaFunction"},
		{secret, observed, r + "CampaignStateMachineRole" + own + "1/Action", "states:ListExecutions", "the state machine may not do states:StartExecution"},
		{secret, observed, r + "CampaignStateMachineRole" + own + "4/Resource", "*", "the state machine may do [s3:GetObject"},

		{secret, deployed, r + "SendLambdaFunction" + p + "Timeout", 6, "function send has the timeout 6 s"},
		{secret, deployed, r + "SendLambdaFunction" + p + "Handler", "main", "function send runs main"},
		{secret, deployed, r + "SendLambdaFunction" + p + "Architectures/0", "arm", "function send runs on [arm]"},
		{secret, deployed, r + "SendLambdaFunction" + p + "MemorySize", 128, "function send has 128 MiB"},
		{secret, deployed, r + "SendLambdaFunction" + p + "Code/S3Key", "plan.zip", `function send has the package "plan.zip"`},
		{secret, deployed, r + "SendLambdaFunction" + p + "FunctionName", "send", `function send is called "send"`},
		{secret, deployed, r + "SendLambdaFunction" + p + "TracingConfig", nil, "function send is not traced"},
		{secret, deployed, r + "SendLogGroup" + p + "RetentionInDays", nil, "function send keeps logs for ever"},
		{secret, deployed, r + "SendLambdaFunction/Type", "AWS::SNS::Topic", "function send is not deployed"},
		{secret, deployed, r + "EventsTopic/Type", "AWS::Lambda::Function", "EventsTopic is no function of functions.yml"},

		{secret, variables, r + "SendLambdaFunction" + fields + "FANMAIL_BUCKET", nil, "function send reads FANMAIL_BUCKET, which it does not get"},
		{secret, variables, r + "EventsLambdaFunction" + fields + "FANMAIL_BUCKET", "x", "function events gets FANMAIL_BUCKET, which it does not read"},
		{secret, variables, r + "EventsLambdaFunction" + fields + "DATABASE_SECRET_ARN", nil, "function events reads DATABASE_SECRET_ARN, which it does not get"},
		{iam, variables, r + "EventsLambdaFunction" + fields + "DATABASE_URL", nil, "function events reads DATABASE_URL, which it does not get"},
		{iam, variables, r + "EventsLambdaFunction" + fields + "DATABASE_AUTH", "password", `function events logs in by "password", want "iam"`},
		{vpc, variables, r + "SendLambdaFunction" + fields + "DATABASE_ADMIN_SECRET_ARN", "x", `function send has the administrator's secret "x"`},
		{secret, variables, r + "SendLambdaFunction" + fields + "FANMAIL_STAGE", "prod", "function send does not know its stage"},

		{secret, may, r + "SendRole" + own + "0/Action/0", "s3:DeleteObject", "function send may do s3:DeleteObject, which it does not call"},
		{secret, may, r + "SendRole" + own + "0/Action/0", "s3:DeleteObject", "function send calls s3:GetObject, which it may not do"},
		{secret, may, r + "SendRole" + own + "0/Effect", "Deny", "function send calls s3:GetObject, which it may not do"},
		{iam, may, r + "SendRole" + own + "2/Action/0", "secretsmanager:GetSecretValue", "function send may do secretsmanager:GetSecretValue, which it does not call"},
		{password, may, r + "SendRole" + own + "1/Action/0", "rds-db:connect", "function send may do rds-db:connect, which it does not call"},
		{vpc, may, r + "SendRole" + own + "7/Effect", "Allow", "function send has two statements for one action"},
		{vpc, may, r + "SendRole" + own + "6", map[string]any{}, "function send calls ec2:CreateNetworkInterface, which it may not do"},
		{secret, may, r + "EventsRole" + own + "0/Action/0", "sqs:PurgeQueue", "function events calls sqs:ReceiveMessage, which it may not do"},
		{secret, may, r + "SendLambdaFunction" + p + "Role/Fn::GetAtt/0", "PlanRole", `function send has the role "PlanRole"`},
		{secret, may, r + "SendRole" + p + "ManagedPolicyArns", []any{"x"}, "the role of send has other policies"},
		{secret, may, r + "SendRole" + trust + "Principal/Service", "ec2.amazonaws.com", "the role of send is not Lambda's alone"},

		{secret, where, r + "SendRole" + own + "0/Resource/0", "*", "function send may do s3:GetObject on *"},
		{secret, where, r + "SendRole" + own + "0/Resource/0/Fn::Sub", "${CampaignBucket.Arn}/reports/*", "function send may use the folders: [reports], want [work]"},
		{secret, where, r + "SendRole" + own + "1/Resource/0", "*", "function send may do ses:SendEmail on *"},
		{secret, where, r + "SendRole" + own + "1/Resource", []any{"arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*"}, "function send may send with no configuration set"},
		{password, where, r + "SendRole" + own + "1/Resource/2/Fn::Sub", "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*", "function send may do ses:SendEmail on arn"},
		{secret, where, r + "SendRole" + own + "2/Resource/0", "*", "function send may do secretsmanager:GetSecretValue on *"},
		{iam, where, r + "SendRole" + own + "2/Resource/0", "*", "function send may do rds-db:connect on *"},
		{vpc, where, r + "SendRole" + own + "2/Resource/0", "arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!cluster-AbCdEf", "function send may do secretsmanager:GetSecretValue on arn"},
		{vpc, where, r + "SendRole" + own + "3/Resource/0", "*", "function send may do kms:Decrypt on *"},
		{vpc, where, r + "SendRole" + own + "7", map[string]any{}, "6 of 7 functions are kept from changing network interfaces"},
		{vpc, where, r + "SendRole" + own + "7/Action/0", "ec2:*", "function send is denied [ec2:*"},
		{vpc, where, r + "SendRole" + own + "7/Condition/ArnEquals/lambda:SourceFunctionArn", "x", "function send may change network interfaces"},
		{secret, where, r + "PrepareRole" + own + "3/Resource/0", "*", "function prepare may do states:DescribeExecution on *"},
		{secret, where, r + "EventsRole" + own + "0/Resource/0/Fn::GetAtt/0", "EventsDeadLetterQueue", "function events may do sqs:ReceiveMessage on ${EventsDeadLetterQueue.Arn}"},
		{secret, where, r + "EventsRole" + own + "2/Resource/0", "*", "function events may do logs:CreateLogStream on *"},

		{secret, bound, r + "EventsLambdaFunction" + p + "ReservedConcurrentExecutions", 3, "function events has a reserved concurrency of 3, want 2"},
		{secret, bound, r + "EventsLambdaFunction" + p + "ReservedConcurrentExecutions", nil, "the reserved concurrencies sum up to"},
		{account, bound, r + "SendLambdaFunction" + p + "ReservedConcurrentExecutions", 5, "function send has a reserved concurrency of 5, want 0"},
		{account, bound, r + "PlanLambdaFunction" + fields + "FANMAIL_SENDERS", "10", `plan counts on "10" senders, but there are 5`},
		{password, bound, r + "MigrateLambdaFunction" + fields + "FANMAIL_CONNECTION_LIMIT", "20", `the role's limit is "20" for migrate, but the bound is 50`},
		{secret, bound, "Outputs/ConnectionBound/Value", "19", "the output ConnectionBound is 19"},

		{secret, mapped, mapping + "ScalingConfig", nil, "function events: its event source is"},
		{secret, mapped, mapping + "FunctionResponseTypes/0", "Other", "ReportBatchItemFailures:false"},
		{secret, mapped, mapping + "MaximumBatchingWindowInSeconds", 0, "BatchingWindow:0s"},
		{secret, mapped, mapping + "BatchSize", 10, "BatchSize:10"},
		{secret, mapped, mapping + "Enabled", false, "want {Queue:EventsQueue"},
		{secret, mapped, mapping + "EventSourceArn/Fn::GetAtt/0", "EventsDeadLetterQueue", "Queue:EventsDeadLetterQueue"},
		{secret, mapped, mapping + "FunctionName/Fn::GetAtt/0", "ControlLambdaFunction", "function control: event source in the template: true, in functions.yml: false"},
		{secret, mapped, mapping + "FunctionName/Fn::GetAtt/0", "OtherLambdaFunction", "OtherLambdaFunction has an event source"},

		{secret, queues, r + "EventsQueue" + p + "RedrivePolicy", nil, "the queue is {Name:EventsQueue"},
		{secret, queues, r + "EventsQueue" + p + "VisibilityTimeout", 30, "VisibilityTimeout:30s"},
		{secret, queues, r + "EventsDeadLetterQueue" + p + "MessageRetentionPeriod", 60, "Retention:1m0s"},
		{secret, queues, r + "EventsQueue" + p + "SqsManagedSseEnabled", false, "the queue EventsQueue is not encrypted"},
		{secret, queues, r + "EventsTopic/Type", "AWS::SQS::Queue", "the queue EventsTopic is not in queues.yml"},

		{secret, arrive, r + "SendLambdaFunction" + fields + "FANMAIL_CONFIGURATION_SET", nil, `function send sends with the configuration set ""`},
		{secret, arrive, r + "PlanLambdaFunction" + fields + "FANMAIL_CONFIGURATION_SET", ref("EventsTopic"), `function plan sends with the configuration set "EventsTopic"`},
		{secret, arrive, target + "Enabled", false, "EventsConfigurationSet does not publish to EventsTopic"},
		{secret, arrive, target + "SnsDestination", nil, "EventsConfigurationSet does not publish to EventsTopic"},
		{secret, arrive, target + "MatchingEventTypes/0", "sent", "SES publishes [bounce"},
		{secret, arrive, r + "EventsTopicPolicy" + policy + "Action", "sns:Subscribe", "SES may not publish to EventsTopic"},
		{secret, arrive, r + "EventsTopicPolicy" + policy + "Effect", "Deny", "SES may not publish to EventsTopic"},
		{secret, arrive, r + "EventsTopicPolicy" + policy + "Condition/StringEquals", nil, "for other accounts"},
		{password, arrive, r + "EventsTopicPolicy" + policy + "Condition/ArnLike/aws:SourceArn/2", nil, "SES may publish to EventsTopic for: [ ${EventsConfigurationSet} news]"},
		{secret, arrive, r + "EventsTopic" + p + "KmsMasterKeyId", "alias/aws/sns", "EventsTopic is not encrypted with a key that its publishers may use"},
		{secret, arrive, r + "TopicKey" + p + "KeyPolicy/Statement/1/Action/1", "kms:Encrypt", "the key of the topics may be used by: [], want"},
		{secret, arrive, r + "EventsSubscription" + p + "Endpoint/Fn::GetAtt/0", "EventsDeadLetterQueue", "EventsQueue is not subscribed to EventsTopic"},
		{secret, arrive, r + "EventsSubscription" + p + "RawMessageDelivery", false, "the subscription has no RawMessageDelivery"},
		{secret, arrive, r + "EventsSubscription" + p + "RedrivePolicy", nil, "what SNS can't deliver is lost"},
		{secret, arrive, r + "EventsQueuePolicy" + policy + "Condition", nil, "other topics may send to EventsQueue"},
		{secret, arrive, r + "EventsQueuePolicy" + policy + "Resource/1", nil, "SNS may not send to"},
		{secret, arrive, r + "EventsSubscription/DependsOn", nil, "EventsSubscription may be made before SNS may send to the queue"},
		{secret, arrive, r + "EventsDestination/DependsOn", nil, "EventsDestination may be made before SES may publish"},

		{vpc, network, r + "SendLambdaFunction" + p + "VpcConfig", nil, "function send is in a VPC: false"},
		{secret, network, r + "SendLambdaFunction" + p + "VpcConfig", map[string]any{}, "function send is in a VPC: true"},
		{vpc, network, r + "SendLambdaFunction" + p + "VpcConfig/SubnetIds/1", nil, "function send is in: [<nil> subnet-0a1b2c3d]"},
		{vpc, network, r + "EventsTopic/Type", "AWS::EC2::VPCEndpoint", "there are endpoints for"},
		{ownGroup, network, r + "SendLambdaFunction" + p + "VpcConfig/SecurityGroupIds/0", "sg-0", "function send is in: [sg-0]"},
		{ownGroup, network, r + "FunctionsSecurityGroup" + p + "SecurityGroupIngress", []any{}, "others may connect to the functions"},
		{ownGroup, network, r + "FunctionsSecurityGroup", nil, "a security group is made: false, want true"},
		{endpoints, network, r + "StatesEndpoint", nil, "there are endpoints for: [email s3], want [email s3 states]"},
		{endpoints, network, r + "StatesEndpoint" + p + "VpcId", "vpc-0", `StatesEndpoint is in "vpc-0"`},
		{endpoints, network, r + "StatesEndpoint" + p + "PrivateDnsEnabled", false, "StatesEndpoint is not found by the SDK"},
		{endpoints, network, r + "S3Endpoint" + p + "RouteTableIds", nil, "S3Endpoint is a route of: []"},
		{endpoints, network, r + "EndpointsSecurityGroup" + p + "SecurityGroupIngress/0/SourceSecurityGroupId", "sg-0", "EmailEndpoint is reached from: [sg-0]"},
		{endpoints, network, r + "EndpointsSecurityGroup" + p + "SecurityGroupIngress/0/FromPort", 0, "EmailEndpoint takes more than HTTPS"},

		{secret, outputs, "Outputs/Bucket", nil, "the outputs are: [AlarmTopicArn ConfigurationSet"},
		{secret, outputs, "Outputs/Other", map[string]any{}, "the outputs are: [AlarmTopicArn Bucket"},
		{secret, outputs, "Outputs/EventsQueueUrl/Value", ref("EventsTopic"), "the output EventsQueueUrl is ${EventsTopic}"},

		{secret, alarms, r + "ExecutionFailedAlarm", nil, "AWS/States ExecutionsAborted AWS/States ExecutionsTimedOut Fanmail"},
		{secret, alarms, r + "ExecutionFailedAlarm" + p + "AlarmActions", nil, "ExecutionFailedAlarm tells [<nil>]"},
		{secret, alarms, r + "ExecutionFailedAlarm" + p + "ActionsEnabled", false, "ExecutionFailedAlarm rings for nobody"},
		{secret, alarms, r + "ExecutionFailedAlarm" + p + "TreatMissingData", nil, `ExecutionFailedAlarm treats silence as ""`},
		{secret, alarms, r + "ExecutionFailedAlarm" + p + "Threshold", 0, "ExecutionFailedAlarm has no threshold"},
		{secret, alarms, r + "ExecutionFailedAlarm" + p + "AlarmDescription", "Oh.", "ExecutionFailedAlarm says nothing of docs/operations.md"},
		{secret, alarms, r + "ExecutionFailedAlarm" + p + "Dimensions/0/Value", "x", "ExecutionFailedAlarm is about the state machine x"},
		{secret, alarms, r + "SesThrottlesAlarm" + p + "Metrics/1/MetricStat/Metric/MetricName", "Throttles", "SesThrottlesAlarm is on Throttles, which no function writes"},
		{secret, alarms, r + "SesThrottlesAlarm" + p + "Metrics/1/MetricStat/Metric/Dimensions/0/Value", "prod", "SesThrottlesAlarm is about the stage prod"},
		{secret, alarms, r + "SesThrottlesAlarm" + p + "Metrics/1/MetricStat/Metric/Dimensions", nil, "SesThrottlesAlarm is on a metric with 0 dimensions"},
		{password, alarms, r + "ConnectionsAlarm" + p + "Threshold", 20, "ConnectionsAlarm rings at 20 of 50 connections"},
		{vpc, alarms, r + "AlarmTopic" + p + "Subscription", nil, "the topic of alarms has 0 subscriptions"},
		{vpc, alarms, r + "AlarmTopic" + p + "Subscription/0/Endpoint", "x", "alarms go to x, want ops@example.com"},

		{secret, board, r + "Dashboard" + p + "DashboardBody", "{", "reading the dashboard"},
		{secret, board, r + "Dashboard" + p + "DashboardBody", `{"widgets": [{"properties": {"metrics": []}}]}`, "a graph shows nothing"},
		{secret, board, r + "Dashboard" + p + "DashboardBody", `{"widgets": []}`, "the dashboard does not show AWS/States ExecutionsFailed"},
		{secret, board, r + "Dashboard" + p + "DashboardBody", `{"widgets": [{"properties": {"metrics": [["Fanmail", "Accepted", "Stage", "x"]]}}]}`, "the dashboard shows [Fanmail Accepted Stage x]"},
		{secret, board, r + "Dashboard" + p + "DashboardBody", `{"widgets": []}`, "the dashboard shows: [], want [Accepted"},

		{secret, alarms, r + "InterruptionLostAlarm", nil, "there are alarms on: [AWS/Lambda Throttles EventsLambdaFunction"},

		{secret, named, r + "Dashboard" + p + "DashboardName", "fanmail-dev", "Dashboard is called fanmail-dev in every Region"},
		{secret, named, r + "EventsConfigurationSet" + p + "Name", "fanmail", "EventsConfigurationSet is called fanmail in every stage"},
		{secret, named, r + "CampaignBucket" + p + "BucketName", "fanmail-dev", "CampaignBucket has a BucketName"},
		{secret, named, r + "SendRole" + p + "RoleName", "fanmail-dev-send", "SendRole has a RoleName"},
		{secret, named, r + "SendLambdaFunction" + p + "FunctionName", "fanmail-dev-" + strings.Repeat("x", 41), "SendLambdaFunction has a name of 65 characters in the longest stage"},

		{secret, early, r + "InterruptedRule" + p + "EventPattern/detail/status/2", nil, "the rule is for: [ FAILED TIMED_OUT]"},
		{secret, early, r + "InterruptedRule" + p + "EventPattern/detail/stateMachineArn", nil, "the rule is for: [<nil>]"},
		{secret, early, r + "InterruptedRule" + p + "EventPattern/source/0", "aws.s3", "the rule is for: [aws.s3]"},
		{secret, early, r + "InterruptedRule" + p + "EventPattern/detail-type/0", "x", "the rule is for: [x]"},
		{secret, early, r + "InterruptedRule" + p + "State", "DISABLED", "the rule is switched off"},
		{secret, early, r + "InterruptedRule" + p + "Targets/0/Arn/Fn::GetAtt/0", "SendLambdaFunction", "the rule does not invoke finish"},
		{secret, early, r + "InterruptedRule" + p + "Targets", []any{}, "the rule has not exactly one target"},
		{secret, early, r + "InterruptedRule" + p + "Targets/0/InputTransformer/InputTemplate", "{", "finish gets {"},
		{secret, early, r + "InterruptedRule" + p + "Targets/0/InputTransformer/InputPathsMap/status", "$.detail.executionArn", "finish gets map"},
		{secret, early, r + "InterruptedPermission" + p + "SourceArn", nil, "the rule may not invoke finish"},

		{secret, schedules, r + "ScheduleRole" + trust + "Principal/Service", "x", "Scheduler may not take the role"},
		{secret, schedules, r + "ScheduleRole" + trust + "Condition", nil, "other groups may take the role"},
		{secret, schedules, r + "ScheduleRole" + own + "0/Resource", "*", "the role may do map"},
		{secret, schedules, r + "ExampleSchedule" + p + "State", "ENABLED", "ExampleSchedule would start a campaign that nobody has"},
		{secret, schedules, r + "ExampleSchedule" + p + "GroupName", "default", "ExampleSchedule is not in the group"},
		{secret, schedules, r + "ExampleSchedule" + p + "Target/Arn", "x", "ExampleSchedule can't name its executions"},
		{secret, schedules, r + "ExampleSchedule" + p + "Target/DeadLetterConfig", nil, "ExampleSchedule has no role, or loses a start"},
		{secret, schedules, r + "ExampleSchedule" + p + "Target/RetryPolicy", nil, "ExampleSchedule may start 0 seconds late"},
		{secret, schedules, r + "ExampleSchedule" + p + "Target/Input", "{}", "ExampleSchedule calls with {}"},

		{secret, safe, r + "CampaignBucket/DeletionPolicy", "Delete", "the bucket goes with the stack"},
		{secret, safe, r + "CampaignBucketPolicy/DeletionPolicy", nil, "the bucket is left without its policy"},
		{secret, safe, r + "CampaignBucket" + p + "PublicAccessBlockConfiguration/BlockPublicAcls", false, "the bucket has no BlockPublicAcls"},
		{secret, safe, r + "CampaignBucket" + p + "BucketEncryption", nil, "the bucket is not encrypted"},
		{secret, safe, r + "CampaignBucketPolicy" + policy + "Effect", "Allow", "the bucket can be reached without TLS"},
		{secret, safe, r + "CampaignBucketPolicy" + p + "PolicyDocument/Statement", []any{}, "the bucket's policy has not exactly one statement"},
	} {
		t.Run(b.variant+" "+b.place, func(t *testing.T) {
			i := slices.IndexFunc(variants, func(v variant) bool { return v.name == b.variant })
			if i < 0 {
				t.Fatalf("variants.txt has no %s", b.variant)
			}
			v := variants[i]
			v.Resources, v.Outputs = nil, nil
			if err := json.Unmarshal(broken(t, texts[b.variant], b.place, b.value), &v); err != nil {
				t.Fatal(err)
			}
			got := rules[b.rule](v)
			if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, b.want) }) {
				t.Errorf("%s\nsaid\n\t%s\nwant\n\t%s", b.rule, strings.Join(got, "\n\t"), b.want)
			}
		})
		delete(silent, b.rule)
	}
	for _, name := range sortedKeys(silent) {
		t.Errorf("no breach here tests the rule: %s", name)
	}
}

// broken is the template with another value at a place: names and list indices separated by slashes; nil takes the
// place away, or in a list, leaves nothing there.
func broken(t *testing.T, template, place string, value any) []byte {
	t.Helper()
	var whole any
	if err := json.Unmarshal([]byte(template), &whole); err != nil {
		t.Fatal(err)
	}
	keys := split(place)
	at := whole
	for _, key := range keys[:len(keys)-1] {
		switch v := at.(type) {
		case []any:
			i, _ := strconv.Atoi(key)
			at = v[i]
		case map[string]any:
			at = v[key]
		}
	}
	last := keys[len(keys)-1]
	switch v := at.(type) {
	case []any:
		i, _ := strconv.Atoi(last)
		v[i] = value
	case map[string]any:
		if value == nil && v[last] == nil {
			t.Fatalf("the template has no %s", place)
		}
		v[last] = value
		if value == nil {
			delete(v, last)
		}
	default:
		t.Fatalf("the template has no %s", place)
	}
	out, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// split divides a place at its slashes.
func split(place string) []string { return strings.Split(place, "/") }
