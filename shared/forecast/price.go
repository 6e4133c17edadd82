package forecast

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed prices.yml
var pricesYAML []byte

// The prices of prices.yml. Those of SES have the name of a pricing plan in the middle.
const (
	sesRecipients  = "ses.%s.recipients"
	sesAttachments = "ses.%s.attachments"

	lambdaRequests  = "lambda.requests"
	lambdaGBSeconds = "lambda.gbSeconds"
	transitions     = "stepfunctions.transitions"
	s3Writes        = "s3.writes"
	s3Reads         = "s3.reads"
	snsPublishes    = "sns.publishes"
	sqsRequests     = "sqs.requests"
	logBytes        = "logs.bytes"
)

// Prices are what AWS asks for.
type Prices struct {
	// Region is the one whose prices stand in for unknown ones, Date the day on which the file was last gone through.
	Region string           `yaml:"region"`
	Date   string           `yaml:"date"`
	Prices map[string]Price `yaml:"prices"`
}

// Price is dollars for Per units.
type Price struct {
	Price float64 `yaml:"price"`
	Per   float64 `yaml:"per"`
	Date  string  `yaml:"date"`
	// Source is where it was read; Quoted: from somebody who quotes AWS.
	Source string `yaml:"source"`
	Quoted bool   `yaml:"quoted"`
	// Regions have prices of their own.
	Regions map[string]float64 `yaml:"regions"`
}

// ReadPrices reads prices.yml.
func ReadPrices() (Prices, error) { return parsePrices(pricesYAML) }

func parsePrices(text []byte) (Prices, error) {
	var p Prices
	if err := yaml.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("reading prices.yml: %w", err)
	}
	var problems []error
	problem := func(format string, arguments ...any) {
		problems = append(problems, fmt.Errorf("prices.yml: "+format, arguments...))
	}
	if _, err := time.Parse(time.DateOnly, p.Date); err != nil || p.Region == "" {
		problem("it needs a region and a date like 2026-11-26")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Prices)) {
		price := p.Prices[name]
		if _, err := time.Parse(time.DateOnly, price.Date); err != nil || price.Source == "" {
			problem("%s needs a source and a date like 2026-11-26", name)
		}
		if !(price.Price > 0) || !(price.Per >= 1) {
			problem("%s: price must be above 0, and per 1 or more", name)
		}
		for region, own := range price.Regions {
			if !(own > 0) {
				problem("%s: the price in %s must be above 0", name, region)
			}
		}
	}
	for _, name := range needed {
		if _, ok := p.Prices[name]; !ok {
			problem("%s is missing", name)
		}
	}
	return p, errors.Join(problems...)
}

// needed are the prices without which no cost can be told.
var needed = []string{
	fmt.Sprintf(sesRecipients, AssumedPlan), lambdaRequests, lambdaGBSeconds, transitions,
	s3Writes, s3Reads, snsPublishes, sqsRequests, logBytes,
}

// of is the price of one unit in a Region, and whether it is known for that Region.
func (p Prices) of(name, region string) (dollars float64, known bool) {
	price := p.Prices[name]
	if own, ok := price.Regions[region]; ok {
		return own / price.Per, true
	}
	return price.Price / price.Per, region == p.Region
}
