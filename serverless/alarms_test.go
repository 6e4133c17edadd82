package serverless

import (
	"encoding/json"
	"fmt"
	"go/constant"
	"go/types"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/deployment"
	"fanmail/shared/metrics"
)

// readMetrics are the constants of shared/metrics/names.go: the names of metrics.
func readMetrics(t *testing.T) (names []string) {
	t.Helper()
	p, err := loadProgram()
	if err != nil {
		t.Fatal(err)
	}
	scope := p.packages[module+"/shared/metrics"].Scope()
	for _, name := range scope.Names() {
		if c, ok := scope.Lookup(name).(*types.Const); ok && c.Exported() && name != "Namespace" &&
			name != "Dimension" {
			names = append(names, constant.StringVal(c.Val()))
		}
	}
	if len(names) == 0 {
		t.Fatal("shared/metrics has no names")
	}
	return names
}

// watched are the metrics that an alarm must be on: what goes wrong, and nobody would see.
var watched = []string{
	"AWS/States ExecutionsFailed", "AWS/States ExecutionsTimedOut", "AWS/States ExecutionsAborted",
	"AWS/SQS ApproximateNumberOfMessagesVisible EventsDeadLetterQueue", "AWS/SQS ApproximateNumberOfMessagesVisible ScheduleDeadLetterQueue",
	"AWS/SQS ApproximateAgeOfOldestMessage EventsQueue",
	"AWS/Lambda AsyncEventsDropped FinishLambdaFunction",
	"AWS/SES Reputation.BounceRate", "AWS/SES Reputation.ComplaintRate",
	"Fanmail Connections", "Fanmail Throttled", "Fanmail Accepted", "Fanmail Bounced", "Fanmail Complained", "Fanmail Delivered",
}

func alarmsRing(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	want := slices.Clone(watched)
	for _, function := range v.functions {
		// The other two are asked by people, whom the command tells.
		if function.Key != "control" && function.Key != "migrate" {
			want = append(want, "AWS/Lambda Throttles "+logicalName(function.Key))
		}
	}
	var got []string
	v.each("AWS::CloudWatch::Alarm", func(name string, r resource) {
		p := r.Properties
		for _, actions := range []string{"AlarmActions", "OKActions"} {
			f.check(
				slices.Equal(rendered(p[actions]), []string{"${AlarmTopic}"}),
				"%s tells %v of its %s",
				name,
				rendered(p[actions]),
				actions,
			)
		}
		f.check(p["ActionsEnabled"] != false, "%s rings for nobody", name)
		f.check(
			slices.Contains([]string{"notBreaching", "ignore"}, p.text("TreatMissingData")),
			"%s treats silence as %q",
			name,
			p.text("TreatMissingData"),
		)
		f.check(
			p.has("Threshold") && p.text("ComparisonOperator") == "GreaterThanOrEqualToThreshold" &&
				p.number("Threshold") > 0,
			"%s has no threshold",
			name,
		)
		f.check(
			strings.HasSuffix(p.text("AlarmDescription"), " More: docs/operations.md, "+name+"."),
			"%s says nothing of docs/operations.md",
			name,
		)
		metrics := []object{p}
		for _, m := range p.objects("Metrics") {
			metrics = append(metrics, m.object("MetricStat").object("Metric"))
		}
		for _, m := range metrics {
			if m.has("MetricName") {
				got = append(got, v.metric(f, name, m))
			}
		}
	})
	f.equal(got, want, "there are alarms on")

	most, bound := v.properties("ConnectionsAlarm").number("Threshold"), float64(deployment.Bound(v.functions))
	f.check(most > 0.9*bound && most <= bound, "ConnectionsAlarm rings at %v of %v connections", most, bound)

	subscriptions := v.properties("AlarmTopic").objects("Subscription")
	email := v.parameters["alarmEmail"]
	f.check(len(subscriptions) == 1 == (email != ""), "the topic of alarms has %d subscriptions", len(subscriptions))
	for _, s := range subscriptions {
		f.check(
			s.text("Protocol") == "email" && s.text("Endpoint") == email,
			"alarms go to %s, want %s",
			s.text("Endpoint"),
			email,
		)
	}
	return wrong
}

// metric names what a metric of an alarm measures, and checks that there is such a thing.
func (v variant) metric(f *findings, alarm string, m object) string {
	name := m.text("Namespace") + " " + m.text("MetricName")
	for _, d := range m.objects("Dimensions") {
		value := render(d["Value"])
		switch d.text("Name") {
		case metrics.Dimension:
			f.check(value == stage, "%s is about the stage %s", alarm, value)
		case "StateMachineArn":
			f.check(value == machineARN, "%s is about the state machine %s", alarm, value)
		default:
			name += " " + strings.TrimSuffix(strings.Trim(value, "${}"), ".QueueName")
		}
	}
	if m.text("Namespace") == metrics.Namespace {
		f.check(
			slices.Contains(v.metrics, m.text("MetricName")),
			"%s is on %s, which no function writes",
			alarm,
			m.text("MetricName"),
		)
		f.check(
			len(m.objects("Dimensions")) == 1,
			"%s is on a metric with %d dimensions",
			alarm,
			len(m.objects("Dimensions")),
		)
	}
	return name
}

func dashboardShows(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	var board struct {
		Widgets []struct {
			Properties struct{ Metrics [][]any }
		}
	}
	if err := json.Unmarshal([]byte(render(v.properties("Dashboard")["DashboardBody"])), &board); err != nil {
		return []string{fmt.Sprintf("reading the dashboard: %v", err)}
	}
	var own, others []string
	for _, widget := range board.Widgets {
		f.check(len(widget.Properties.Metrics) > 0, "a graph shows nothing")
		for _, metric := range widget.Properties.Metrics {
			texts := rendered(metric)
			switch {
			case len(texts) < 2: // an expression
			case texts[0] == metrics.Namespace:
				f.check(
					slices.Equal(texts[2:min(4, len(texts))], []string{metrics.Dimension, stage}),
					"the dashboard shows %v",
					texts,
				)
				own = append(own, texts[1])
			default:
				others = append(others, texts[0]+" "+texts[1])
			}
		}
	}
	f.equal(own, v.metrics, "the dashboard shows")
	for _, metric := range []string{
		"AWS/Lambda ConcurrentExecutions", "AWS/Lambda Throttles", "AWS/SQS ApproximateAgeOfOldestMessage", "AWS/SQS ApproximateNumberOfMessagesVisible",
		"AWS/States ExecutionsFailed", "AWS/SES Reputation.BounceRate", "AWS/SES Reputation.ComplaintRate",
	} {
		f.check(slices.Contains(others, metric), "the dashboard does not show %s", metric)
	}
	return wrong
}
