package forecast

import (
	"math"
	"slices"
	"strings"
	"testing"

	"fanmail/shared/deployment"
)

func billing(t *testing.T, region, plan string) (Billing, Prices) {
	t.Helper()
	functions, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	prices, err := ReadPrices()
	if err != nil {
		t.Fatal(err)
	}
	return Billing{Region: region, Plan: plan, Functions: functions}, prices
}

// dollars is what a service asks for.
func dollars(t *testing.T, c Cost, service string) float64 {
	t.Helper()
	for _, item := range c.Items {
		if item.Service == service {
			return item.Dollars
		}
	}
	t.Fatalf("no %s in %+v", service, c.Items)
	return 0
}

func TestAMillionRecipientsCostWhatTheyShould(t *testing.T) {
	b, prices := billing(t, "us-east-1", "NONE")
	usage := Of(input(1_000_000, account(500, -1))).Usage
	c := CostOf(usage, b, prices)
	for service, want := range map[string]float64{
		"Amazon SES":         100,                               // 1,000,000 at $0.10 per 1,000
		"AWS Step Functions": 3_008 * 0.025 / 1000,              // 1,000 children of 3 states
		"Amazon SNS":         2 * 0.5,                           // two events for each
		"Amazon SQS":         2 * 1.2 * 0.4,                     //
		"AWS Lambda":         10*2050*0.25*0.0000133334 + 0.002, // ten senders of 256 MB for 2,050 seconds
	} {
		if got := dollars(t, c, service); math.Abs(got-want) > want/10 {
			t.Errorf("%s costs %f, want about %f", service, got, want)
		}
	}
	sum := 0.0
	for _, item := range c.Items {
		sum += item.Dollars
	}
	if math.Abs(sum-c.Dollars) > 1e-9 || len(c.StandIns) > 0 || len(c.Unknown) > 0 {
		t.Errorf("the items are %f together, the cost %f; %q, %q", sum, c.Dollars, c.StandIns, c.Unknown)
	}
}

func TestTheCostFollowsThePricingPlanOfTheAccount(t *testing.T) {
	usage := Usage{Recipients: 10_000}
	for plan, want := range map[string]float64{"NONE": 1 + 0.12*2.5, "ESSENTIALS": 1.6, "PRO": 2.2, "ENTERPRISE": 2.3, "": 1.6, "GOLD": 1.6} {
		b, prices := billing(t, "us-east-1", plan)
		b.AttachmentBytes = 250_000
		c := CostOf(usage, b, prices)
		if got := dollars(t, c, "Amazon SES"); math.Abs(got-want) > 1e-9 {
			t.Errorf("plan %q: %f, want %f", plan, got, want)
		}
		unknown := strings.Join(c.Unknown, "; ")
		if strings.Contains(unknown, "2500.0 MB of attachments") != (plan != "NONE") || strings.Contains(unknown, "GOLD") != (plan == "GOLD") {
			t.Errorf("plan %q: unknown is %q", plan, unknown)
		}
	}
}

func TestAnUnknownRegionHasThePricesOfAnotherAndSaysSo(t *testing.T) {
	b, prices := billing(t, "ap-northeast-2", "NONE")
	c := CostOf(Usage{Recipients: 1000, Transitions: 1000}, b, prices)
	if got := dollars(t, c, "AWS Step Functions"); math.Abs(got-0.0271) > 1e-9 {
		t.Errorf("a thousand transitions in Seoul cost %f", got)
	}
	if c.PricesOf != "us-east-1" || slices.Contains(c.StandIns, "AWS Step Functions") || !slices.Contains(c.StandIns, "Amazon SES") {
		t.Errorf("prices of %s stand in for %q", c.PricesOf, c.StandIns)
	}
}

func TestBadPricesAreRefused(t *testing.T) {
	good := string(pricesYAML)
	for name, c := range map[string]struct{ old, new, want string }{
		"no source":     {`source: "https://aws.amazon.com/sns/pricing/"`, `source: ""`, "sns.publishes needs a source"},
		"no date":       {"date: 2026-03-14", "date: March", "sqs.requests needs a source and a date"},
		"free":          {"price: 0.025", "price: 0", "stepfunctions.transitions: price must be above 0"},
		"free in Seoul": {"ap-northeast-2: 0.0271", "ap-northeast-2: 0", "the price in ap-northeast-2"},
		"missing":       {"logs.bytes", "log.bytes", "logs.bytes is missing"},
		"no region":     {"region: us-east-1", "region: ''", "it needs a region"},
		"no YAML":       {"prices:", "prices: [", "reading prices.yml"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%s: %q is not in the file", name, c.old)
		}
		if _, err := parsePrices([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestTheFunctionsOfTheCostExist: a function of another name would cost nothing.
func TestTheFunctionsOfTheCostExist(t *testing.T) {
	b, _ := billing(t, "us-east-1", "NONE")
	for _, key := range []string{sendFunction, planFunction, eventsFunction} {
		if !slices.ContainsFunc(b.Functions, func(f deployment.Function) bool { return f.Key == key }) {
			t.Errorf("functions.yml has no function %s", key)
		}
	}
}
