package serverless

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fanmail/shared/deployment"
	"fanmail/shared/sesevent"
)

func queuesAgree(v variant) (wrong []string) {
	left := map[string]bool{}
	v.each("AWS::SQS::Queue", func(name string, _ resource) { left[name] = true })
	for _, q := range v.queues {
		p := v.properties(q.Name)
		redrive := p.object("RedrivePolicy")
		got := deployment.Queue{
			Name: q.Name, VisibilityTimeout: 30 * time.Second, Retention: time.Duration(p.number("MessageRetentionPeriod")) * time.Second,
			DeadLetterQueue: attributeOf(
				redrive["deadLetterTargetArn"],
			), MaxReceiveCount: int(redrive.number("maxReceiveCount")),
		}
		if p.has("VisibilityTimeout") {
			got.VisibilityTimeout = time.Duration(p.number("VisibilityTimeout")) * time.Second
		}
		if got != q || !left[q.Name] {
			wrong = append(wrong, fmt.Sprintf("the queue is %+v, want %+v", got, q))
		}
		if p["SqsManagedSseEnabled"] != true {
			wrong = append(wrong, fmt.Sprintf("the queue %s is not encrypted", q.Name))
		}
		delete(left, q.Name)
	}
	for name := range left {
		wrong = append(wrong, fmt.Sprintf("the queue %s is not in queues.yml", name))
	}
	return wrong
}

// eventsArrive follows an event from the functions that send, by way of SES, SNS and SQS, to the function events.
func eventsArrive(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	const configurationSet, topic, queue, dead = "EventsConfigurationSet", "EventsTopic", "EventsQueue", "EventsDeadLetterQueue"
	for _, key := range []string{"plan", "send"} {
		got := v.properties(logicalName(key)).
			object("Environment").
			object("Variables").
			object("FANMAIL_CONFIGURATION_SET").
			text("Ref")
		f.check(
			got == configurationSet,
			"function %s sends with the configuration set %q, want %s",
			key,
			got,
			configurationSet,
		)
	}
	destination := v.properties("EventsDestination").object("EventDestination")
	f.check(
		v.properties("EventsDestination").object("ConfigurationSetName").text("Ref") == configurationSet && destination["Enabled"] == true &&
			destination.object("SnsDestination").
				text("TopicARN") ==
				"" &&
			destination.object("SnsDestination").object("TopicARN").text("Ref") == topic,
		"%s does not publish to %s",
		configurationSet,
		topic,
	)
	var types []string
	for _, name := range sesevent.Types() {
		types = append(types, strings.ToLower(name[:1])+strings.ReplaceAll(name, " ", "")[1:])
	}
	published := slices.Sorted(slices.Values(destination.texts("MatchingEventTypes")))
	slices.Sort(types)
	f.check(slices.Equal(published, types), "SES publishes %v, but shared/sesevent reads %v", published, types)
	f.check(
		slices.Contains(v.Resources["EventsDestination"].DependsOn, "EventsTopicPolicy"),
		"EventsDestination may be made before SES may publish",
	)

	publish := only(v.properties("EventsTopicPolicy"))
	condition := publish.object("Condition")
	f.check(
		publish.object("Principal").text("Service") == "ses.amazonaws.com" && publish.text("Action") == "sns:Publish" &&
			publish.object("Resource").text("Ref") == topic,
		"SES may not publish to %s",
		topic,
	)
	var sets []string
	for _, source := range rendered(condition.object("ArnLike")["aws:SourceArn"]) {
		_, set, _ := strings.Cut(source, ":configuration-set/")
		sets = append(sets, set)
	}
	want := append(
		[]string{"${EventsConfigurationSet}"},
		strings.Split(v.parameter("configurationSets", "fanmail-"+stage+"-*"), ",")...)
	f.check(
		condition.object("StringEquals").object("aws:SourceAccount").text("Ref") == "AWS::AccountId",
		"SES may publish to %s for other accounts",
		topic,
	)
	f.equal(sets, want, "SES may publish to %s for", topic)

	// AWS's own key for SNS can't be used by SES and CloudWatch.
	for _, name := range []string{topic, "AlarmTopic"} {
		f.check(
			v.properties(name).object("KmsMasterKeyId").text("Ref") == "TopicKey",
			"%s is not encrypted with a key that its publishers may use",
			name,
		)
	}
	var users []string
	for _, statement := range v.properties("TopicKey").object("KeyPolicy").objects("Statement") {
		if slices.Contains(statement.texts("Action"), "kms:GenerateDataKey") &&
			slices.Contains(statement.texts("Action"), "kms:Decrypt") {
			users = append(users, statement.object("Principal").texts("Service")...)
		}
	}
	f.equal(users, []string{"ses.amazonaws.com", "cloudwatch.amazonaws.com"}, "the key of the topics may be used by")

	subscription := v.properties("EventsSubscription")
	f.check(
		subscription.object("TopicArn").text("Ref") == topic && subscription.text("Protocol") == "sqs" &&
			attributeOf(subscription["Endpoint"]) == queue,
		"%s is not subscribed to %s",
		queue,
		topic,
	)
	f.check(
		subscription["RawMessageDelivery"] == true,
		"the subscription has no RawMessageDelivery, which halves what fits into a batch",
	)
	f.check(
		attributeOf(subscription.object("RedrivePolicy")["deadLetterTargetArn"]) == dead,
		"what SNS can't deliver is lost",
	)
	f.check(
		slices.Contains(v.Resources["EventsSubscription"].DependsOn, "EventsQueuePolicy"),
		"EventsSubscription may be made before SNS may send to the queue",
	)

	send := only(v.properties("EventsQueuePolicy"))
	resources := references(send["Resource"])
	slices.Sort(resources)
	f.check(
		send.object("Principal").text("Service") == "sns.amazonaws.com" && send.text("Action") == "sqs:SendMessage" &&
			slices.Equal(resources, []string{dead, queue}),
		"SNS may not send to %s and %s",
		queue,
		dead,
	)
	f.check(
		send.object("Condition").object("ArnEquals").object("aws:SourceArn").text("Ref") == topic,
		"other topics may send to %s",
		queue,
	)
	for _, function := range v.functions {
		if function.Key == "events" && function.EventSource != nil && function.EventSource.Queue == queue {
			return wrong
		}
	}
	return append(wrong, "the function events does not read "+queue)
}

func bucketIsSafe(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	bucket := v.Resources["CampaignBucket"]
	f.check(
		bucket.DeletionPolicy == "RetainExceptOnCreate" && bucket.UpdateReplacePolicy == "Retain",
		"the bucket goes with the stack, or a first deployment that fails leaves one",
	)
	f.check(
		v.Resources["CampaignBucketPolicy"].DeletionPolicy == bucket.DeletionPolicy,
		"the bucket is left without its policy",
	)
	block := bucket.Properties.object("PublicAccessBlockConfiguration")
	for _, name := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		f.check(block[name] == true, "the bucket has no %s", name)
	}
	f.check(
		len(bucket.Properties.object("BucketEncryption").objects("ServerSideEncryptionConfiguration")) == 1,
		"the bucket is not encrypted",
	)
	policy := v.properties("CampaignBucketPolicy")
	statements := policy.object("PolicyDocument").objects("Statement")
	if len(statements) != 1 {
		return append(wrong, "the bucket's policy has not exactly one statement")
	}
	deny := statements[0]
	f.check(deny.text("Effect") == "Deny" && deny.text("Principal") == "*" && deny.text("Action") == "s3:*" &&
		deny.object("Condition").object("Bool").text("aws:SecureTransport") == "false" &&
		slices.Equal(rendered(deny["Resource"]), []string{"${CampaignBucket.Arn}", "${CampaignBucket.Arn}/*"}) &&
		policy.object("Bucket").text("Ref") == "CampaignBucket", "the bucket can be reached without TLS")
	return wrong
}
