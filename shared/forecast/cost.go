package forecast

import (
	"fmt"
	"math"
	"strings"

	"fanmail/shared/deployment"
)

// AssumedPlan is the SES pricing plan of an account that does not name its own: the one of new accounts.
const AssumedPlan = "ESSENTIALS"

const (
	// eventsOfRecipient are the SES events of a message that arrives: Send and Delivery. Opens and clicks come on top.
	eventsOfRecipient = 2
	// requestsOfEvent: SNS sends it to the queue, and it is received and deleted in tens.
	requestsOfEvent = 1.2
	// secondsOfEvents and secondsOfOthers are what an invocation of events, and one of the other functions, takes:
	// estimates.
	secondsOfEvents, secondsOfOthers = 0.3, 0.5
	// bytesOfLog are what an invocation writes into its log: Lambda's own lines, and one or two of ours. An estimate.
	bytesOfLog = 1_000
	// writesOfWave: the manifest and the results of the Map. readsOfRequest: a sender loads the content of the
	// campaign.
	writesOfWave, readsOfRequest = 3, 1
	// writesOfFrame are the upload, what Prepare writes, and the report.
	writesOfFrame = 12
)

// Functions whose memory the cost needs.
const (
	sendFunction, planFunction, eventsFunction = "send", "plan", "events"
)

// Billing is where and how a campaign is billed.
type Billing struct {
	Region string
	// Plan is the SES pricing plan; "" for AssumedPlan.
	Plan string
	// AttachmentBytes are those of the attachments of one message.
	AttachmentBytes int64
	Functions       []deployment.Function
}

// Cost is an estimate in US dollars.
type Cost struct {
	Dollars float64 `json:"dollars"`
	Items   []Item  `json:"items"`
	Plan    string  `json:"sesPricingPlan"`
	// Region is that of the bill, PricesOf the one whose prices stand in for those that are not known for it,
	// PricesDate their date.
	Region     string `json:"region"`
	PricesOf   string `json:"pricesOf"`
	PricesDate string `json:"pricesDate"`
	// StandIns are the services with a price of another Region.
	StandIns []string `json:"standIns,omitempty"`
	// Unknown is what has a price that is not known.
	Unknown []string `json:"unknown,omitempty"`
}

// Item is what one service asks for.
type Item struct {
	Service string  `json:"service"`
	Dollars float64 `json:"dollars"`
	Uses    []Use   `json:"uses"`
}

// Use is so many units of something.
type Use struct {
	Quantity float64 `json:"quantity"`
	Unit     string  `json:"unit"`
}

// CostOf is what the usage costs.
func CostOf(u Usage, b Billing, prices Prices) Cost {
	c := Cost{Plan: b.Plan, Region: b.Region, PricesOf: prices.Region, PricesDate: prices.Date, Items: []Item{}}
	c.ses(u, b, prices)

	gigabytes := func(key string) float64 { return float64(deployment.Find(b.Functions, key).MemorySize) / 1024 }
	events := float64(u.Recipients * eventsOfRecipient)
	// A batch of events is full, or its window of two seconds is over.
	eventRequests := math.Ceil(max(events/1000, min(events, u.SendingSeconds/2)))
	others := float64(u.PlanRequests + 2) // prepare, finish
	requests := float64(u.SendRequests) + others + eventRequests
	seconds := u.SendSeconds*gigabytes(sendFunction) + others*secondsOfOthers*gigabytes(planFunction) +
		eventRequests*secondsOfEvents*gigabytes(eventsFunction)
	c.add(prices, "AWS Lambda", line{lambdaRequests, Use{requests, "requests"}},
		line{lambdaGBSeconds, Use{seconds, "GB-seconds"}})
	c.add(prices, "AWS Step Functions", line{transitions, Use{float64(u.Transitions), "state transitions"}})
	c.add(prices, "Amazon SNS", line{snsPublishes, Use{events, "events, without opens and clicks"}})
	c.add(prices, "Amazon SQS", line{sqsRequests, Use{math.Ceil(events * requestsOfEvent), "requests"}})
	c.add(prices, "Amazon S3", line{s3Writes, Use{float64(writesOfFrame + u.Waves*writesOfWave), "writes"}},
		line{s3Reads, Use{float64(u.SendRequests * readsOfRequest), "reads"}})
	c.add(prices, "Amazon CloudWatch", line{logBytes, Use{requests * bytesOfLog, "bytes of logs"}})
	return c
}

func (c *Cost) ses(u Usage, b Billing, prices Prices) {
	if _, known := prices.Prices[fmt.Sprintf(sesRecipients, c.Plan)]; !known {
		if c.Plan != "" {
			c.Unknown = append(c.Unknown,
				fmt.Sprintf("the SES pricing plan %s, for which %s stands in", c.Plan, AssumedPlan))
		}
		c.Plan = AssumedPlan
	}
	name := fmt.Sprintf(sesRecipients, c.Plan)
	price := prices.Prices[name]
	unit := fmt.Sprintf("recipients at $%.2f per 1,000 (%s)", 1000*price.Price/price.Per, planName(c.Plan))
	lines := []line{{name, Use{float64(u.Recipients), unit}}}
	if bytes := float64(b.AttachmentBytes * u.Recipients); bytes > 0 {
		name := fmt.Sprintf(sesAttachments, c.Plan)
		if _, known := prices.Prices[name]; known {
			lines = append(lines, line{name, Use{bytes, "bytes of attachments"}})
		} else {
			c.Unknown = append(c.Unknown,
				fmt.Sprintf("what the SES pricing plan %s asks for %.1f MB of attachments", planName(c.Plan),
					bytes/1e6))
		}
	}
	c.add(prices, "Amazon SES", lines...)
}

// planName is a pricing plan for a reader.
func planName(plan string) string {
	if plan == "NONE" {
		return "à la carte"
	}
	return plan[:1] + strings.ToLower(plan[1:])
}

// line is a use and its price.
type line struct {
	price string
	use   Use
}

// add adds an item of several lines.
func (c *Cost) add(prices Prices, service string, lines ...line) {
	item := Item{Service: service}
	standsIn := false
	for _, l := range lines {
		price, known := prices.of(l.price, c.Region)
		item.Dollars += price * l.use.Quantity
		item.Uses = append(item.Uses, l.use)
		standsIn = standsIn || !known
	}
	if standsIn {
		c.StandIns = append(c.StandIns, service)
	}
	c.Dollars += item.Dollars
	c.Items = append(c.Items, item)
}
