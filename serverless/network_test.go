package serverless

import (
	"strings"

	"fanmail/shared/deployment"
)

// endpointOf is the name of a VPC endpoint for calls with a prefix of IAM. Calls that are missing leave no VPC:
// Lambda makes them, or the IAM token of a database is worked out in the function.
var endpointOf = map[string]string{"s3": "s3", "ses": "email", "states": "states", "secretsmanager": "secretsmanager"}

func networkReaches(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	split := func(name string) (list []string) {
		return strings.FieldsFunc(v.parameters[name], func(r rune) bool { return r == ',' })
	}
	groups := split("securityGroupIds")
	own := v.inVPC() && len(groups) == 0
	if own {
		groups = []string{"${FunctionsSecurityGroup.GroupId}"}
		f.check(
			v.properties("FunctionsSecurityGroup").text("VpcId") == v.parameters["vpcId"] &&
				!v.properties("FunctionsSecurityGroup").has("SecurityGroupIngress"),
			"others may connect to the functions",
		)
	}
	_, made := v.Resources["FunctionsSecurityGroup"]
	f.check(made == own, "a security group is made: %v, want %v", made, own)
	calls := map[string]bool{}
	for _, function := range v.functions {
		p := v.properties(logicalName(function.Key))
		f.check(p.has("VpcConfig") == v.inVPC(), "function %s is in a VPC: %v", function.Key, p.has("VpcConfig"))
		if v.inVPC() {
			f.equal(rendered(p.object("VpcConfig")["SubnetIds"]), split("subnetIds"), "function %s is in",
				function.Key)
			f.equal(rendered(p.object("VpcConfig")["SecurityGroupIds"]), groups, "function %s is in", function.Key)
		}
		for _, action := range v.needed(function.Key) {
			prefix, _, _ := strings.Cut(action, ":")
			if name := endpointOf[prefix]; name != "" {
				calls[name] = true
			}
		}
	}
	var want []string
	switch setting := v.parameter("vpcEndpoints", "no"); setting {
	case "yes":
		want = sortedKeys(calls)
	case "no":
	default:
		want = strings.Split(setting, ",")
	}
	var got []string
	v.each("AWS::EC2::VPCEndpoint", func(name string, r resource) {
		p := r.Properties
		service := strings.TrimPrefix(render(p["ServiceName"]), "com.amazonaws.${AWS::Region}.")
		got = append(got, service)
		f.check(p.text("VpcId") == v.parameters["vpcId"], "%s is in %q", name, p.text("VpcId"))
		if p.text("VpcEndpointType") == "Gateway" {
			f.equal(p.texts("RouteTableIds"), split("routeTableIds"), "%s is a route of", name)
			return
		}
		f.equal(p.texts("SubnetIds"), split("subnetIds"), "%s is in", name)
		f.check(p["PrivateDnsEnabled"] == true, "%s is not found by the SDK", name)
		f.equal(rendered(p["SecurityGroupIds"]), []string{"${EndpointsSecurityGroup.GroupId}"}, "%s is in", name)
		var sources []string
		for _, rule := range v.properties("EndpointsSecurityGroup").objects("SecurityGroupIngress") {
			f.check(rule.number("FromPort") == 443 && rule.number("ToPort") == 443 && !rule.has("CidrIp"),
				"%s takes more than HTTPS from the functions", name)
			sources = append(sources, render(rule["SourceSecurityGroupId"]))
		}
		f.equal(sources, groups, "%s is reached from", name)
	})
	f.equal(got, want, "there are endpoints for")
	return wrong
}

func outputsAreKnown(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	want := []string{"AlarmTopicArn", "ConnectionBound"}
	for _, output := range deployment.Outputs {
		want = append(want, output.Key)
	}
	if _, made := v.Resources["FunctionsSecurityGroup"]; made {
		want = append(want, "FunctionsSecurityGroup")
	}
	var got []string
	for name := range v.Outputs {
		// osls and its plugin have outputs of their own.
		if name != "ServerlessDeploymentBucketName" && !strings.HasSuffix(name, "LambdaFunctionQualifiedArn") &&
			name != "FanmailDashdevDashcampaignArn" {
			got = append(got, name)
		}
	}
	f.equal(got, want, "the outputs are")
	values := map[string]string{
		deployment.Bucket.Key: "${CampaignBucket}", deployment.StateMachine.Key: machineARN, deployment.ControlFunction.Key: "${ControlLambdaFunction}",
		deployment.MigrateFunction.Key: "${MigrateLambdaFunction}", deployment.ConfigurationSet.Key: "${EventsConfigurationSet}",
		deployment.EventsQueue.Key: "${EventsQueue}", deployment.EventsDeadLetterQueue.Key: "${EventsDeadLetterQueue}",
		deployment.ScheduleGroup.Key: "${ScheduleGroup}", deployment.ScheduleRole.Key: "${ScheduleRole.Arn}",
		deployment.ScheduleDeadLetterQueue.Key: "${ScheduleDeadLetterQueue}", "AlarmTopicArn": "${AlarmTopic}",
	}
	for _, name := range sortedKeys(values) {
		f.check(render(v.Outputs[name].Value) == values[name], "the output %s is %s, want %s", name,
			render(v.Outputs[name].Value), values[name])
	}
	return wrong
}
