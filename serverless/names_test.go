package serverless

import (
	"strings"
)

// naming is the property that names what a resource makes, and how long AWS lets it be.
type naming struct {
	property string
	longest  int
	// global is a name of the account, whatever the Region.
	global bool
}

var names = map[string]naming{
	"AWS::Lambda::Function":            {"FunctionName", 64, false},
	"AWS::StepFunctions::StateMachine": {"StateMachineName", 80, false},
	"AWS::SES::ConfigurationSet":       {"Name", 64, false},
	"AWS::Scheduler::ScheduleGroup":    {"Name", 64, false},
	"AWS::Logs::LogGroup":              {"LogGroupName", 512, false},
	"AWS::CloudWatch::Alarm":           {"AlarmName", 255, false},
	"AWS::CloudWatch::Dashboard":       {"DashboardName", 255, true},
}

// unnamed are the names that CloudFormation makes itself: those of buckets are the world's, those of roles the
// account's, and a resource with a name of ours could not be replaced.
var unnamed = []string{"BucketName", "RoleName", "QueueName", "TopicName", "Name", "GroupName"}

// longestStage is as long as parameters.js lets a stage be.
const longestStage = 15

func namesAreOneStages(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	for _, logical := range sortedKeys(v.Resources) {
		r := v.Resources[logical]
		n, named := names[r.Type]
		if !named {
			for _, property := range unnamed {
				// A schedule's group is a reference to the group.
				_, reference := r.Properties[property].(map[string]any)
				f.check(!r.Properties.has(property) || reference, "%s has a %s, and needs none", logical, property)
			}
			continue
		}
		// A group, an alarm or a function without a name of ours would not be found.
		text := render(r.Properties[n.property])
		f.check(strings.Contains(text, "fanmail-"+stage), "%s is called %s in every stage", logical, text)
		f.check(!n.global || strings.Contains(text, "${AWS::Region}"), "%s is called %s in every Region", logical, text)
		length := len(strings.ReplaceAll(text, "${AWS::Region}", "ap-southeast-2")) - len(stage) + longestStage
		f.check(length <= n.longest, "%s has a name of %d characters in the longest stage", logical, length)
	}
	return wrong
}
