package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"fanmail/cmd/fanmail/internal/cloud"
	"fanmail/shared/deployment"
	"fanmail/shared/sesevent"
)

func TestTheConfigurationSetIsJudged(t *testing.T) {
	set := func(enabled bool) *sesv2.GetConfigurationSetOutput {
		return &sesv2.GetConfigurationSetOutput{SendingOptions: &types.SendingOptions{SendingEnabled: enabled}}
	}
	verdicts(t, []judged{
		{"in order", judgeConfigurationSet("ours", set(true), false), Passed, "ours", ""},
		{"without options", judgeConfigurationSet("ours", &sesv2.GetConfigurationSetOutput{}, false), Passed, "ours", ""},
		{"missing", judgeConfigurationSet("ours", nil, false), Failed, "no configuration set ours", "make deploy"},
		{"the campaign's is missing", judgeConfigurationSet("theirs", nil, true), Failed, "which campaign.yaml names", "create-configuration-set --configuration-set-name theirs"},
		{"off", judgeConfigurationSet("ours", set(false), false), Failed, "sending is off", "--configuration-set-name ours --sending-enabled"},
	})
}

const topic = "arn:aws:sns:us-east-1:000000000000:events"

// to is a destination of all events, with changes.
func to(changes ...func(*types.EventDestination)) types.EventDestination {
	d := types.EventDestination{
		Name: aws.String("ledger"), Enabled: true, MatchingEventTypes: slices.Concat(needed, wanted), SnsDestination: &types.SnsDestination{TopicArn: aws.String(topic)},
	}
	for _, change := range changes {
		change(&d)
	}
	return d
}

func TestTheEventDestinationIsJudged(t *testing.T) {
	only := func(list ...types.EventType) func(*types.EventDestination) {
		return func(d *types.EventDestination) { d.MatchingEventTypes = list }
	}
	off := func(d *types.EventDestination) { d.Enabled = false }
	elsewhere := func(d *types.EventDestination) { d.SnsDestination.TopicArn = aws.String("arn:other") }
	firehose := func(d *types.EventDestination) { d.SnsDestination = nil }
	judge := func(list ...types.EventDestination) Verdict {
		return judgeDestinations("ours", list, []string{topic})
	}
	verdicts(t, []judged{
		{"in order", judge(to()), Passed, "ours publishes all events", ""},
		{"in two parts", judge(to(only(needed...)), to(only(wanted...))), Passed, "all events", ""},
		{"none", judge(), Failed, "publishes no events", "aws sesv2 create-configuration-set-event-destination --configuration-set-name ours --event-destination-name ledger"},
		{"to another topic", judge(to(elsewhere)), Failed, "publishes no events to the deployment's topic", `"TopicArn":"` + topic + `"`},
		{"to no topic", judge(to(firehose)), Failed, "publishes no events", "create-configuration-set-event-destination"},
		{"off", judge(to(off)), Failed, "ledger of ours is off", "update-configuration-set-event-destination"},
		{"without bounces", judge(to(only(types.EventTypeSend, types.EventTypeDelivery, types.EventTypeComplaint, types.EventTypeReject, types.EventTypeRenderingFailure))),
			Failed, "does not publish BOUNCE: ", "update-"},
		{"the rest is off", judge(to(only(types.EventTypeSend)), to(off)), Failed, "DELIVERY, BOUNCE", "update-"},
		{"without opens", judge(to(only(append(slices.Clone(needed), types.EventTypeClick, types.EventTypeDeliveryDelay, types.EventTypeSubscription)...))),
			Warned, "does not publish OPEN: reports lack them", "update-"},
		{"the deployment's own is gone", judgeDestinations("ours", nil, nil), Failed, "publishes no events", "describe-stack-resource"},
	})
}

// TestAllEventsThatWeReadAreAskedFor holds the two lists against what the code understands.
func TestAllEventsThatWeReadAreAskedFor(t *testing.T) {
	asked := map[string]bool{}
	for _, kind := range slices.Concat(needed, wanted) {
		asked[strings.ReplaceAll(string(kind), "_", "")] = true
	}
	for _, kind := range sesevent.Types() {
		name := strings.ToUpper(strings.ReplaceAll(kind, " ", ""))
		if !asked[name] {
			t.Errorf("the ledger understands %s, and doctor does not ask for it", kind)
		}
		delete(asked, name)
	}
	if len(asked) > 0 {
		t.Errorf("doctor asks for %v, which the ledger does not understand", asked)
	}
}

func TestQueuesAreJudged(t *testing.T) {
	verdicts(t, []judged{
		{"empty", judgeQueue(cloud.Queue{}), Passed, "0 events wait", ""},
		{"at work", judgeQueue(cloud.Queue{Waiting: backlog, InFlight: 2000}), Passed, "20,000 events wait, 2,000 are being written", ""},
		{"behind", judgeQueue(cloud.Queue{Waiting: backlog + 1}), Failed, "20,001 events wait", "log of the function"},
		{"no dead letters", judgeDeadLetters(cloud.Queue{}, "were lost", "again"), Passed, "empty", ""},
		{"a dead letter", judgeDeadLetters(cloud.Queue{Waiting: 1}, "events were lost", "again"), Failed, "1 events were lost", "again"},
		{"somebody looks at one", judgeDeadLetters(cloud.Queue{InFlight: 1}, "were lost", "again"), Failed, "1 were lost", "again"},
		{"a part that nobody named", unknown(deployment.EventsQueue), Skipped, "FANMAIL_EVENTS_QUEUE_URL is not set", ""},
	})
}

func TestTheArrivalIsJudged(t *testing.T) {
	verdicts(t, []judged{
		{"it came", judgeArrival(true, 2345*time.Millisecond, time.Minute, nil, "f", nil), Passed, "after 2.3s", ""},
		{"lost on the way", judgeArrival(false, 0, time.Minute, &cloud.Queue{}, "f", []string{topic}), Failed, "within 1m0s, and the queue is empty", "--topic-arn " + topic},
		{"not written", judgeArrival(false, 0, time.Minute, &cloud.Queue{Waiting: 3, InFlight: 1}, "fanmail-dev-events", nil), Failed, "4 are in the queue", "/aws/lambda/fanmail-dev-events"},
		{"the queue is not known", judgeArrival(false, 0, time.Minute, nil, "f", nil), Failed, "within 1m0s", "list-subscriptions-by-topic"},
	})
}

func TestAFunctionOfTheSameDeployment(t *testing.T) {
	for _, control := range []string{"fanmail-dev-control", "arn:aws:lambda:us-east-1:000000000000:function:fanmail-dev-control"} {
		if got := sibling(control, "events"); got != "fanmail-dev-events" {
			t.Errorf("%s: %s", control, got)
		}
	}
}
