// Package metrics writes the metrics of the Lambda functions for CloudWatch. They hold counts only: never an address,
// and nothing of a campaign.
package metrics

// Namespace is where the metrics are in CloudWatch, and Dimension their only dimension: the stage of the deployment.
const (
	Namespace = "Fanmail"
	Dimension = "Stage"
)

// The metrics of the function send, once an invocation: what SES answered.
const (
	// Accepted is how many messages SES accepted.
	Accepted = "Accepted"
	// Failed is how many recipients failed for good: SES refused the message, or it can't be rendered.
	Failed = "Failed"
	// Throttled is how many messages SES refused because of the account's rate. They are sent later.
	Throttled = "Throttled"
)

// The metrics of the function plan.
const (
	// AccountRate is SES's limit in recipients per second, when plan has asked for it.
	AccountRate = "AccountRate"
	// Connections is how many sessions the functions' role has on the PostgreSQL server. The function send emits it,
	// too, once an invocation: look at the maximum.
	Connections = "Connections"
	// ConnectionBound is the most that the deployment can hold.
	ConnectionBound = "ConnectionBound"
)

// The metrics of the function events: what SES tells of messages. SQS may deliver an event twice, and then it counts
// twice.
const (
	// Delivered is how many messages the recipients' servers took.
	Delivered = "Delivered"
	// Bounced is how many messages bounced for good: bounceType Permanent, which SES judges an account by. Those to
	// addresses on the account's suppression list are left out: SES never sent them, and does not count them either.
	// https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
	Bounced = "Bounced"
	// Complained is how many recipients called a message spam.
	Complained = "Complained"
)

// units are those of CloudWatch. A metric that is not here is none of ours.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
var units = map[string]string{
	Accepted: count, Failed: count, Throttled: count,
	AccountRate: "Count/Second", Connections: count, ConnectionBound: count,
	Delivered: count, Bounced: count, Complained: count,
}

const count = "Count"
