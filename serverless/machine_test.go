package serverless

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"fanmail/statemachine"
)

const (
	machineName = "fanmail-" + stage + "-campaign"
	machineARN  = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:" + machineName
)

// machine is the one state machine of the template.
func (v variant) machine() (object, error) {
	var all []object
	v.each("AWS::StepFunctions::StateMachine", func(_ string, r resource) { all = append(all, r.Properties) })
	if len(all) != 1 {
		return nil, fmt.Errorf("the template has %d state machines, want one", len(all))
	}
	return all[0], nil
}

// definitionIsDeployed holds the definition against campaign.asl.json: the plugin that makes it must change
// nothing but the names of the functions.
func definitionIsDeployed(v variant) []string {
	machine, err := v.machine()
	if err != nil {
		return []string{err.Error()}
	}
	deployed, err := v.definition(machine)
	if err != nil {
		return []string{err.Error()}
	}
	var want map[string]any
	if err := json.Unmarshal(statemachine.Definition, &want); err != nil {
		return []string{err.Error()}
	}
	if diff := cmp.Diff(want, deployed); diff != "" {
		return []string{"the deployed definition differs (- campaign.asl.json, + template):\n" + diff}
	}
	return nil
}

// definition reads the definition of a state machine in a template: {"Fn::Sub": [text, {name: reference}]}, with
// ${name} in the text for each function. Every reference must be to a version of a function, so that a campaign
// keeps the code that it began with. Here every such name becomes the reference that campaign.asl.json has.
func (v variant) definition(machine object) (map[string]any, error) {
	parts, _ := machine.object("DefinitionString")["Fn::Sub"].([]any)
	if len(parts) != 2 {
		return nil, fmt.Errorf("DefinitionString is not an Fn::Sub with a text and its names")
	}
	text, _ := parts[0].(string)
	references, _ := parts[1].(map[string]any)
	for name, raw := range references {
		reference, _ := raw.(map[string]any)
		version := v.Resources[object(reference).text("Ref")]
		function := version.Properties.object("FunctionName").text("Ref")
		if version.Type != "AWS::Lambda::Version" || version.DeletionPolicy != "Retain" ||
			!strings.HasSuffix(function, "LambdaFunction") {
			return nil, fmt.Errorf("the definition refers to %v, which is no version of a function that is kept", raw)
		}
		key := strings.ToLower(strings.TrimSuffix(function, "LambdaFunction"))
		text = strings.ReplaceAll(text, `"${`+name+`}"`, `{"Fn::GetAtt": ["`+key+`", "Arn"]}`)
	}
	var definition map[string]any
	if err := json.Unmarshal([]byte(text), &definition); err != nil {
		return nil, fmt.Errorf("reading the deployed definition: %w", err)
	}
	return definition, nil
}

func machineIsObserved(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	machine, err := v.machine()
	if err != nil {
		return []string{err.Error()}
	}
	logging := machine.object("LoggingConfiguration")
	f.check(machine.text("StateMachineName") == machineName, "the state machine is called %q",
		machine.text("StateMachineName"))
	f.check(machine.text("StateMachineType") == "STANDARD", "the state machine is of type %q",
		machine.text("StateMachineType"))
	f.check(logging.text("Level") == "ERROR" && logging["IncludeExecutionData"] == false,
		"the log has data, or no errors: %v", logging)
	group := ""
	for _, destination := range logging.objects("Destinations") {
		group = attributeOf(destination.object("CloudWatchLogsLogGroup")["LogGroupArn"])
	}
	p := v.properties(group)
	f.check(strings.HasPrefix(p.text("LogGroupName"), "/aws/vendedlogs/states/") && p.number("RetentionInDays") == 30,
		"the log goes to %q, kept for %v days", group, p["RetentionInDays"])
	f.check(machine.object("TracingConfiguration")["Enabled"] == true, "the state machine is not traced")

	role := v.properties(attributeOf(machine["RoleArn"]))
	functions := map[string]bool{}
	var actions []string
	for _, policy := range role.objects("Policies") {
		for _, statement := range policy.object("PolicyDocument").objects("Statement") {
			actions = append(actions, statement.texts("Action")...)
			for _, where := range rendered(statement["Resource"]) {
				if statement.text("Action") == "lambda:InvokeFunction" {
					functions[strings.TrimSuffix(strings.TrimPrefix(where, "${"), ".Arn}:*")] = true
				}
				logs := slices.Contains(statement.texts("Action"), "logs:CreateLogDelivery")
				f.check(where != "*" || logs, "the state machine may do %v on everything", statement.texts("Action"))
			}
		}
	}
	for _, action := range []string{"states:StartExecution", "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution", "s3:GetObject", "s3:PutObject", "logs:CreateLogDelivery", "xray:PutTraceSegments"} {
		f.check(slices.Contains(actions, action), "the state machine may not do %s", action)
	}
	invoked := map[string]bool{}
	parts, _ := machine.object("DefinitionString")["Fn::Sub"].([]any)
	for _, raw := range maps.All(asMap(parts)) {
		reference, _ := raw.(map[string]any)
		invoked[v.properties(object(reference).text("Ref")).object("FunctionName").text("Ref")] = true
	}
	f.equal(sortedKeys(functions), sortedKeys(invoked), "the state machine may invoke")
	return wrong
}

func asMap(parts []any) map[string]any {
	if len(parts) != 2 {
		return nil
	}
	m, _ := parts[1].(map[string]any)
	return m
}

// interruptionsArrive follows the end of an execution to the function finish.
func interruptionsArrive(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	rule := v.properties("InterruptedRule")
	pattern := rule.object("EventPattern")
	f.equal(pattern.texts("source"), []string{"aws.states"}, "the rule is for")
	f.equal(pattern.texts("detail-type"), []string{"Step Functions Execution Status Change"}, "the rule is for")
	f.equal(pattern.object("detail").texts("status"), []string{"FAILED", "TIMED_OUT", "ABORTED"}, "the rule is for")
	f.equal(rendered(pattern.object("detail")["stateMachineArn"]), []string{machineARN}, "the rule is for")
	f.check(rule.text("State") == "" || rule.text("State") == "ENABLED", "the rule is switched off")

	targets := rule.objects("Targets")
	if len(targets) != 1 {
		return append(wrong, "the rule has not exactly one target")
	}
	f.check(attributeOf(targets[0]["Arn"]) == "FinishLambdaFunction", "the rule does not invoke finish")
	transformer := targets[0].object("InputTransformer")
	input := transformer.text("InputTemplate")
	example := map[string]string{"$.detail.executionArn": `"the ARN"`, "$.detail.status": `"ABORTED"`}
	for name, path := range transformer.object("InputPathsMap") {
		input = strings.ReplaceAll(input, "<"+name+">", example[fmt.Sprint(path)])
	}
	var got any
	if err := json.Unmarshal([]byte(input), &got); err != nil {
		return append(wrong, fmt.Sprintf("finish gets %s: %v", input, err))
	}
	want := map[string]any{
		"execution": "the ARN",
		"reason":    "interrupted",
		"error":     map[string]any{"Error": "ABORTED", "Cause": ""},
	}
	f.check(cmp.Equal(got, any(want)), "finish gets %v, want %v", got, want)

	permission := v.properties("InterruptedPermission")
	f.check(
		permission.text("Action") == "lambda:InvokeFunction" && permission.text("Principal") == "events.amazonaws.com" &&
			attributeOf(
				permission["FunctionName"],
			) == "FinishLambdaFunction" &&
			attributeOf(permission["SourceArn"]) == "InterruptedRule",
		"the rule may not invoke finish",
	)
	return wrong
}

func schedulesStart(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	role := v.properties("ScheduleRole")
	trust := only(object{"PolicyDocument": role["AssumeRolePolicyDocument"]})
	condition := trust.object("Condition").object("StringEquals")
	f.check(trust.object("Principal").text("Service") == "scheduler.amazonaws.com", "Scheduler may not take the role")
	f.check(condition.object("aws:SourceAccount").text("Ref") == "AWS::AccountId" &&
		strings.HasSuffix(
			render(condition["aws:SourceArn"]),
			":schedule-group/"+v.properties("ScheduleGroup").text("Name"),
		), "other groups may take the role")
	may := map[string]string{}
	for _, policy := range role.objects("Policies") {
		for _, statement := range policy.object("PolicyDocument").objects("Statement") {
			for _, action := range statement.texts("Action") {
				may[action] = strings.Join(rendered(statement["Resource"]), " ")
			}
		}
	}
	want := map[string]string{"states:StartExecution": machineARN, "sqs:SendMessage": "${ScheduleDeadLetterQueue.Arn}"}
	f.check(cmp.Equal(may, want), "the role may do %v, want %v", may, want)

	v.each("AWS::Scheduler::Schedule", func(name string, r resource) {
		p, target := r.Properties, r.Properties.object("Target")
		f.check(p.text("State") == "DISABLED", "%s would start a campaign that nobody has", name)
		f.check(p.object("GroupName").text("Ref") == "ScheduleGroup", "%s is not in the group", name)
		f.check(render(target["Arn"]) == "arn:${AWS::Partition}:scheduler:::aws-sdk:sfn:startExecution",
			"%s can't name its executions", name)
		f.check(
			attributeOf(target["RoleArn"]) == "ScheduleRole" &&
				attributeOf(target.object("DeadLetterConfig")["Arn"]) == "ScheduleDeadLetterQueue",
			"%s has no role, or loses a start that failed",
			name,
		)
		age := target.object("RetryPolicy").number("MaximumEventAgeInSeconds")
		f.check(age >= 60 && age <= 3600, "%s may start %v seconds late", name, age)
		var call struct{ StateMachineArn, Name, Input string }
		var input map[string]any
		err := json.Unmarshal([]byte(render(target["Input"])), &call)
		if err == nil {
			err = json.Unmarshal([]byte(call.Input), &input)
		}
		f.check(err == nil && call.StateMachineArn == machineARN && call.Name != "" && input["campaign"] != nil,
			"%s calls with %s: %v", name, render(target["Input"]), err)
	})
	return wrong
}
