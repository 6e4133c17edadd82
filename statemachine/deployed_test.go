package statemachine

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fanmail/shared/deployment"
	"fanmail/shared/sesevent"
)

// deployed is a template with what it must agree with.
type deployed struct {
	resources map[string]resource
	functions []deployment.Function
	queues    []deployment.Queue
	// calls are the actions in the table of shared/cloud.
	calls []string
}

// A templateRule says what is wrong with a template: one line for each breach, none when all is well.
type templateRule func(deployed) []string

var templateRules = map[string]templateRule{
	"every reference leads to a resource":                 referencesLead,
	"the functions may do what they call, and no more":    actionsAreCalled,
	"the reserved concurrencies are the bound":            concurrencyIsTheBound,
	"every event source is mapped as the local one":       sourcesAreMapped,
	"every queue is the local one":                        queuesAgree,
	"what SES says of a message finds its way to a queue": eventsArrive,
}

func TestTemplateFollowsTheRules(t *testing.T) {
	d := readDeployed(t)
	for _, name := range sortedKeys(templateRules) {
		for _, breach := range templateRules[name](d) {
			t.Errorf("%s: %s", name, breach)
		}
	}
}

func readDeployed(t *testing.T) deployed {
	t.Helper()
	d := deployed{resources: readTemplate(t)}
	var err error
	if d.functions, err = deployment.Functions(); err != nil {
		t.Fatal(err)
	}
	if d.queues, err = deployment.Queues(); err != nil {
		t.Fatal(err)
	}
	comment, _, _ := strings.Cut(readFile(t, "../shared/cloud/cloud.go"), "\npackage cloud")
	for _, call := range action.FindAllString(comment, -1) {
		// These are parts of s3:PutObject, and no permissions of their own.
		if !strings.HasSuffix(call, "MultipartUpload") {
			d.calls = append(d.calls, call)
		}
	}
	slices.Sort(d.calls)
	d.calls = slices.Compact(d.calls)
	return d
}

var (
	action = regexp.MustCompile(`\b[a-z0-9-]+:[A-Za-z]+\b`)
	// inSub is a reference in the text of an Fn::Sub.
	inSub = regexp.MustCompile(`\$\{([A-Za-z0-9]+)[^}]*\}`)
)

func referencesLead(d deployed) (wrong []string) {
	for name, r := range d.resources {
		for _, target := range append(references(map[string]any(r.Properties)), r.DependsOn...) {
			if _, ok := d.resources[target]; !ok && !strings.HasPrefix(target, "AWS") {
				wrong = append(wrong, fmt.Sprintf("%s refers to %s, which is no resource", name, target))
			}
		}
	}
	return wrong
}

// references are the names that a value of a template refers to.
func references(value any) (names []string) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			names = append(names, references(item)...)
		}
	case map[string]any:
		if name := state(v).text("Ref"); name != "" {
			return []string{name}
		}
		if attribute := state(v).texts("Fn::GetAtt"); len(attribute) == 2 {
			return attribute[:1]
		}
		text, own := state(v).text("Fn::Sub"), map[string]any{}
		if parts, ok := v["Fn::Sub"].([]any); ok && len(parts) == 2 {
			text, _ = parts[0].(string)
			own, _ = parts[1].(map[string]any)
		}
		for _, match := range inSub.FindAllStringSubmatch(text, -1) {
			if _, ok := own[match[1]]; !ok {
				names = append(names, match[1])
			}
		}
		for _, item := range v {
			names = append(names, references(item)...)
		}
	}
	return names
}

func actionsAreCalled(d deployed) (wrong []string) {
	allowed := map[string]bool{}
	for _, policy := range d.resources["IamRoleLambdaExecution"].Properties.objects("Policies") {
		for _, statement := range policy.object("PolicyDocument").objects("Statement") {
			for _, a := range append(statement.texts("Action"), statement.text("Action")) {
				if a != "" && !strings.HasPrefix(a, "logs:") {
					allowed[a] = true
				}
			}
		}
	}
	for _, call := range d.calls {
		if !allowed[call] {
			wrong = append(wrong, fmt.Sprintf("shared/cloud calls %s, which the role may not do", call))
		}
	}
	for _, a := range sortedKeys(allowed) {
		if !slices.Contains(d.calls, a) {
			wrong = append(wrong, fmt.Sprintf("the role may do %s, which is not in the table of shared/cloud", a))
		}
	}
	return wrong
}

func concurrencyIsTheBound(d deployed) (wrong []string) {
	sum := 0
	for _, f := range d.functions {
		got := int(d.resources[logicalName(f.Key)].Properties.number("ReservedConcurrentExecutions"))
		if got != f.ReservedConcurrency {
			wrong = append(wrong, fmt.Sprintf("function %s has a reserved concurrency of %d, want %d", f.Key, got, f.ReservedConcurrency))
		}
	}
	for _, r := range d.resources {
		if r.Type == "AWS::Lambda::Function" {
			sum += int(r.Properties.number("ReservedConcurrentExecutions"))
		}
	}
	if bound := deployment.Bound(d.functions); sum != bound {
		wrong = append(wrong, fmt.Sprintf("the reserved concurrencies sum up to %d, but the bound is %d", sum, bound))
	}
	return wrong
}

func sourcesAreMapped(d deployed) (wrong []string) {
	mapped := map[string]state{}
	for _, r := range d.resources {
		if r.Type == "AWS::Lambda::EventSourceMapping" {
			mapped[attributeOf(r.Properties["FunctionName"])] = r.Properties
		}
	}
	for _, f := range d.functions {
		p, ok := mapped[logicalName(f.Key)]
		delete(mapped, logicalName(f.Key))
		if ok != (f.EventSource != nil) {
			wrong = append(wrong, fmt.Sprintf("function %s: event source in the template: %v, in functions.yml: %v", f.Key, ok, !ok))
		}
		if !ok || f.EventSource == nil {
			continue
		}
		got := deployment.EventSource{
			Queue:                   attributeOf(p["EventSourceArn"]),
			BatchSize:               int(p.number("BatchSize")),
			BatchingWindow:          time.Duration(p.number("MaximumBatchingWindowInSeconds")) * time.Second,
			MaximumConcurrency:      int(p.object("ScalingConfig").number("MaximumConcurrency")),
			ReportBatchItemFailures: slices.Contains(p.texts("FunctionResponseTypes"), "ReportBatchItemFailures"),
		}
		if got != *f.EventSource || p["Enabled"] != true {
			wrong = append(wrong, fmt.Sprintf("function %s: its event source is %+v, want %+v, enabled", f.Key, got, *f.EventSource))
		}
	}
	for name := range mapped {
		wrong = append(wrong, fmt.Sprintf("%s has an event source, but is no function of functions.yml", name))
	}
	return wrong
}

func queuesAgree(d deployed) (wrong []string) {
	left := map[string]bool{}
	for name, r := range d.resources {
		if r.Type == "AWS::SQS::Queue" {
			left[name] = true
		}
	}
	for _, q := range d.queues {
		p := d.resources[q.Name].Properties
		redrive := p.object("RedrivePolicy")
		got := deployment.Queue{
			Name: q.Name, VisibilityTimeout: 30 * time.Second, Retention: time.Duration(p.number("MessageRetentionPeriod")) * time.Second,
			DeadLetterQueue: attributeOf(redrive["deadLetterTargetArn"]), MaxReceiveCount: int(redrive.number("maxReceiveCount")),
		}
		if p.has("VisibilityTimeout") {
			got.VisibilityTimeout = time.Duration(p.number("VisibilityTimeout")) * time.Second
		}
		if got != q || !left[q.Name] {
			wrong = append(wrong, fmt.Sprintf("the queue is %+v, want %+v", got, q))
		}
		delete(left, q.Name)
	}
	for name := range left {
		wrong = append(wrong, fmt.Sprintf("the queue %s is not in queues.yml", name))
	}
	return wrong
}

// eventsArrive follows an event from the functions that send, by way of SES, SNS and SQS, to the function events.
func eventsArrive(d deployed) (wrong []string) {
	check := func(ok bool, format string, values ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, values...))
		}
	}
	const set, topic, queue, dead = "EventsConfigurationSet", "EventsTopic", "EventsQueue", "EventsDeadLetterQueue"
	properties := func(name string) state { return d.resources[name].Properties }
	for _, key := range []string{"plan", "send"} {
		got := properties(logicalName(key)).object("Environment").object("Variables").object("FANMAIL_CONFIGURATION_SET").text("Ref")
		check(got == set, "function %s sends with the configuration set %q, want %s", key, got, set)
	}
	destination := properties("EventsDestination").object("EventDestination")
	check(properties("EventsDestination").object("ConfigurationSetName").text("Ref") == set && destination["Enabled"] == true &&
		destination.object("SnsDestination").text("TopicARN") == "" && destination.object("SnsDestination").object("TopicARN").text("Ref") == topic,
		"%s does not publish to %s", set, topic)
	var types []string
	for _, name := range sesevent.Types() {
		types = append(types, strings.ToLower(name[:1])+strings.ReplaceAll(name, " ", "")[1:])
	}
	published := slices.Sorted(slices.Values(destination.texts("MatchingEventTypes")))
	slices.Sort(types)
	check(slices.Equal(published, types), "SES publishes %v, but shared/sesevent reads %v", published, types)
	check(slices.Contains(d.resources["EventsDestination"].DependsOn, "EventsTopicPolicy"), "EventsDestination may be made before SES may publish")

	publish := only(properties("EventsTopicPolicy"))
	condition := publish.object("Condition").object("StringEquals")
	check(publish.object("Principal").text("Service") == "ses.amazonaws.com" && publish.text("Action") == "sns:Publish" &&
		publish.object("Resource").text("Ref") == topic, "SES may not publish to %s", topic)
	check(condition.object("aws:SourceAccount").text("Ref") == "AWS::AccountId" && strings.Contains(condition.object("aws:SourceArn").text("Fn::Sub"), set),
		"SES may publish to %s for other accounts or configuration sets", topic)

	subscription := properties("EventsSubscription")
	check(subscription.object("TopicArn").text("Ref") == topic && subscription.text("Protocol") == "sqs" && attributeOf(subscription["Endpoint"]) == queue,
		"%s is not subscribed to %s", queue, topic)
	check(subscription["RawMessageDelivery"] == true, "the subscription has no RawMessageDelivery, which halves what fits into a batch")
	check(attributeOf(subscription.object("RedrivePolicy")["deadLetterTargetArn"]) == dead, "what SNS can't deliver is lost")
	check(slices.Contains(d.resources["EventsSubscription"].DependsOn, "EventsQueuePolicy"), "EventsSubscription may be made before SNS may send to the queue")

	send := only(properties("EventsQueuePolicy"))
	resources := references(send["Resource"])
	slices.Sort(resources)
	check(send.object("Principal").text("Service") == "sns.amazonaws.com" && send.text("Action") == "sqs:SendMessage" &&
		slices.Equal(resources, []string{dead, queue}), "SNS may not send to %s and %s", queue, dead)
	check(send.object("Condition").object("ArnEquals").object("aws:SourceArn").text("Ref") == topic, "other topics may send to %s", queue)
	for _, f := range d.functions {
		if f.Key == "events" && f.EventSource != nil && f.EventSource.Queue == queue {
			return wrong
		}
	}
	return append(wrong, "the function events does not read "+queue)
}

// only is the one statement of a policy; an empty one if there are more.
func only(policy state) state {
	if statements := policy.object("PolicyDocument").objects("Statement"); len(statements) == 1 && statements[0].text("Effect") == "Allow" {
		return statements[0]
	}
	return state{}
}

// attributeOf is the resource whose ARN a value is, "" if it is none.
func attributeOf(value any) string {
	object, _ := value.(map[string]any)
	if attribute := state(object).texts("Fn::GetAtt"); len(attribute) == 2 && attribute[1] == "Arn" {
		return attribute[0]
	}
	return ""
}

// TestTemplateRulesSeeTheirBreaches breaks a copy of the template at one place at a time.
func TestTemplateRulesSeeTheirBreaches(t *testing.T) {
	const (
		lead    = "every reference leads to a resource"
		may     = "the functions may do what they call, and no more"
		bound   = "the reserved concurrencies are the bound"
		mapped  = "every event source is mapped as the local one"
		queues  = "every queue is the local one"
		arrive  = "what SES says of a message finds its way to a queue"
		mapping = "EventsEventSourceMappingSQSEventsQueue/"
		target  = "EventsDestination/EventDestination/"
		policy  = "PolicyDocument/Statement/0/"
	)
	ref := func(name string) map[string]any { return map[string]any{"Ref": name} }
	silent := maps.Clone(templateRules)
	for _, b := range []struct {
		rule, place string
		value       any
		want        string
	}{
		{lead, "EventsTopicPolicy/Topics/0", ref("EventTopic"), "EventsTopicPolicy refers to EventTopic, which is no resource"},
		{lead, "EventsQueue/RedrivePolicy/deadLetterTargetArn/Fn::GetAtt/0", "DeadQueue", "EventsQueue refers to DeadQueue"},
		{lead, "EventsTopicPolicy/" + policy + "Condition/StringEquals/aws:SourceArn/Fn::Sub", "arn:${AWS::Partition}:${Sett}", "EventsTopicPolicy refers to Sett"},
		{may, "IamRoleLambdaExecution/Policies/0/" + policy + "Action", []any{"sqs:PurgeQueue"}, "the role may do sqs:PurgeQueue"},
		{may, "IamRoleLambdaExecution/Policies", []any{}, "shared/cloud calls sqs:DeleteMessage, which the role may not do"},
		{bound, "EventsLambdaFunction/ReservedConcurrentExecutions", 3, "function events has a reserved concurrency of 3, want 2"},
		{bound, "EventsLambdaFunction/ReservedConcurrentExecutions", nil, "the reserved concurrencies sum up to"},
		{mapped, mapping + "ScalingConfig", nil, "function events: its event source is"},
		{mapped, mapping + "FunctionResponseTypes/0", "Other", "ReportBatchItemFailures:false"},
		{mapped, mapping + "MaximumBatchingWindowInSeconds", 0, "BatchingWindow:0s"},
		{mapped, mapping + "BatchSize", 10, "BatchSize:10"},
		{mapped, mapping + "Enabled", false, "want {Queue:EventsQueue"},
		{mapped, mapping + "EventSourceArn/Fn::GetAtt/0", "EventsDeadLetterQueue", "Queue:EventsDeadLetterQueue"},
		{mapped, mapping + "FunctionName/Fn::GetAtt/0", "ControlLambdaFunction", "function control: event source in the template: true, in functions.yml: false"},
		{queues, "EventsQueue/RedrivePolicy", nil, "the queue is {Name:EventsQueue"},
		{queues, "EventsQueue/VisibilityTimeout", 30, "VisibilityTimeout:30s"},
		{queues, "EventsDeadLetterQueue/MessageRetentionPeriod", 60, "Retention:1m0s"},
		{arrive, "SendLambdaFunction/Environment/Variables/FANMAIL_CONFIGURATION_SET", nil, `function send sends with the configuration set ""`},
		{arrive, "PlanLambdaFunction/Environment/Variables/FANMAIL_CONFIGURATION_SET", ref("EventsTopic"), `function plan sends with the configuration set "EventsTopic"`},
		{arrive, target + "Enabled", false, "EventsConfigurationSet does not publish to EventsTopic"},
		{arrive, target + "SnsDestination", nil, "EventsConfigurationSet does not publish to EventsTopic"},
		{arrive, target + "MatchingEventTypes/0", "sent", "SES publishes [bounce"},
		{arrive, "EventsTopicPolicy/" + policy + "Action", "sns:Subscribe", "SES may not publish to EventsTopic"},
		{arrive, "EventsTopicPolicy/" + policy + "Effect", "Deny", "SES may not publish to EventsTopic"},
		{arrive, "EventsTopicPolicy/" + policy + "Condition", nil, "for other accounts or configuration sets"},
		{arrive, "EventsSubscription/Endpoint/Fn::GetAtt/0", "EventsDeadLetterQueue", "EventsQueue is not subscribed to EventsTopic"},
		{arrive, "EventsSubscription/RawMessageDelivery", false, "the subscription has no RawMessageDelivery"},
		{arrive, "EventsSubscription/RedrivePolicy", nil, "what SNS can't deliver is lost"},
		{arrive, "EventsQueuePolicy/" + policy + "Resource/1", nil, "SNS may not send to"},
		{arrive, "EventsQueuePolicy/" + policy + "Condition/ArnEquals", nil, "other topics may send to EventsQueue"},
	} {
		t.Run(b.want, func(t *testing.T) {
			d := readDeployed(t)
			name, place, _ := strings.Cut(b.place, "/")
			d.resources[name] = resource{Type: d.resources[name].Type, Properties: broken(t, d.resources[name].Properties, place, b.value), DependsOn: d.resources[name].DependsOn}
			got := templateRules[b.rule](d)
			if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, b.want) }) {
				t.Errorf("the rule said\n\t%s\nwant a line with\n\t%s", strings.Join(got, "\n\t"), b.want)
			}
		})
		delete(silent, b.rule)
	}
	for _, name := range sortedKeys(silent) {
		t.Errorf("no breach here tests the rule: %s", name)
	}
}

// broken is the properties with another value at a place.
func broken(t *testing.T, properties state, place string, value any) state {
	t.Helper()
	text, err := json.Marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	in := texts{definition: string(text)}
	set(place, value)(&in)
	var out state
	if err := json.Unmarshal([]byte(in.definition), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
