package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/cmd/fanmail/internal/terminal"
)

// needed are the events that keep the ledger right; the others only tell more. See serverless.yml.
var (
	needed = []types.EventType{
		types.EventTypeSend, types.EventTypeDelivery, types.EventTypeBounce, types.EventTypeComplaint,
		types.EventTypeReject, types.EventTypeRenderingFailure,
	}
	wanted = []types.EventType{
		types.EventTypeOpen, types.EventTypeClick, types.EventTypeDeliveryDelay, types.EventTypeSubscription,
	}
)

// judgeConfigurationSet judges a configuration set, nil when there is none; own means that the campaign names it.
func judgeConfigurationSet(name string, set *sesv2.GetConfigurationSetOutput, own bool) Verdict {
	switch {
	case set == nil && own:
		return failed(fmt.Sprintf("SES has no configuration set %s, which campaign.yaml names", name),
			"aws sesv2 create-configuration-set --configuration-set-name "+name,
			"or leave configurationSet out of campaign.yaml: the deployment's is taken")
	case set == nil:
		return failed("SES has no configuration set "+name, "deploy again: make deploy STAGE=...")
	case set.SendingOptions != nil && !set.SendingOptions.SendingEnabled:
		return failed("sending is off in the configuration set "+name,
			"aws sesv2 put-configuration-set-sending-options --configuration-set-name "+name+" --sending-enabled")
	}
	return passed("%s", name)
}

// topics are the SNS topics to which destinations publish.
func topics(destinations []types.EventDestination) (arns []string) {
	for _, d := range destinations {
		if d.Enabled && d.SnsDestination != nil {
			arns = append(arns, aws.ToString(d.SnsDestination.TopicArn))
		}
	}
	return arns
}

// judgeDestinations judges where the configuration set of a campaign publishes. ours are the topics of the
// deployment's set: whatever goes to another topic does not reach the ledger.
func judgeDestinations(set string, destinations []types.EventDestination, ours []string) Verdict {
	topic := "TOPIC"
	next := []string{"the topic: aws cloudformation describe-stack-resource --stack-name fanmail-STAGE " +
		"--logical-resource-id EventsTopic"}
	if len(ours) > 0 {
		topic, next = ours[0], nil
	}
	command := func(verb, name string) []string {
		all := make([]string, 0, len(needed)+len(wanted))
		for _, t := range slices.Concat(needed, wanted) {
			all = append(all, `"`+string(t)+`"`)
		}
		return append(next, fmt.Sprintf(`aws sesv2 %s-configuration-set-event-destination --configuration-set-name %s `+
			`--event-destination-name %s --event-destination `+
			`'{"Enabled":true,"MatchingEventTypes":[%s],"SnsDestination":{"TopicArn":"%s"}}'`,
			verb, set, name, strings.Join(all, ","), topic))
	}
	published := map[types.EventType]bool{}
	first := ""
	for _, d := range destinations {
		if d.SnsDestination == nil || len(ours) > 0 && !slices.Contains(ours, aws.ToString(d.SnsDestination.TopicArn)) {
			continue
		}
		if first == "" {
			first = aws.ToString(d.Name)
		}
		for _, t := range d.MatchingEventTypes {
			published[t] = published[t] || d.Enabled
		}
	}
	lacking := func(list []types.EventType) (names []string) {
		for _, t := range list {
			if !published[t] {
				names = append(names, string(t))
			}
		}
		return names
	}
	switch lost, less := lacking(needed), lacking(wanted); {
	case first == "":
		return failed("the configuration set "+set+" publishes no events to the deployment's topic",
			command("create", "ledger")...)
	case len(lost) == len(needed):
		return failed(fmt.Sprintf("the event destination %s of %s is off", first, set), command("update", first)...)
	case len(lost) > 0:
		return failed(fmt.Sprintf("%s does not publish %s: the ledger would not know what became of messages",
			set, strings.Join(lost, ", ")), command("update", first)...)
	case len(less) > 0:
		return warned(fmt.Sprintf("%s does not publish %s: reports lack them",
			set, strings.Join(less, ", ")), command("update", first)...)
	}
	return passed("%s publishes all events", set)
}

// backlog is how many events may wait: the consumers write as many within a minute or so.
const backlog = 20_000

func judgeQueue(q cloud.Queue) Verdict {
	if q.Waiting > backlog {
		return failed(fmt.Sprintf("%s events wait: reports are behind, and what is in doubt is settled late",
			terminal.Number(int64(q.Waiting))),
			"run it again in some minutes: if they are not fewer, the log of the function events says why")
	}
	return passed("%s events wait, %s are being written", terminal.Number(int64(q.Waiting)),
		terminal.Number(int64(q.InFlight)))
}

// judgeDeadLetters judges a dead-letter queue. again are the steps that try its messages once more.
func judgeDeadLetters(q cloud.Queue, what string, again ...string) Verdict {
	n := q.Waiting + q.InFlight
	if n == 0 {
		return passed("it is empty")
	}
	return failed(fmt.Sprintf("%s %s", terminal.Number(int64(n)), what), again...)
}

// judgeArrival judges whether the event of a message to the simulator has come within wait. queue is what the queue of
// events holds then, function the one that writes them.
func judgeArrival(arrived bool, took, wait time.Duration, queue *cloud.Queue, function string, topics []string) Verdict {
	if arrived {
		return passed("the event of a message to SES's simulator was in the ledger after %s",
			took.Round(100*time.Millisecond))
	}
	finding := fmt.Sprintf("no event of a message to SES's simulator came within %s", wait)
	if queue != nil && queue.Waiting+queue.InFlight > 0 {
		return failed(fmt.Sprintf("%s: %s are in the queue, and the function events does not write them",
			finding, terminal.Number(int64(queue.Waiting+queue.InFlight))),
			"the log of the function events says why: aws logs tail /aws/lambda/"+function+" --since 15m",
			"if it only is behind: fanmail doctor --wait 5m")
	}
	topic := "TOPIC"
	if len(topics) > 0 {
		topic = topics[0]
	}
	return failed(finding+", and the queue is empty: SES or SNS does not pass it on",
		"the queue must be a subscriber of the topic: aws sns list-subscriptions-by-topic --topic-arn "+topic,
		"if it is not, deploy again: make deploy STAGE=...")
}
