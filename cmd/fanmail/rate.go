package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"fanmail/shared/campaign"
	"fanmail/shared/deployment"
	"fanmail/shared/workflow"
)

func (p *program) rate() *cobra.Command {
	return &cobra.Command{
		Use:   "rate NAME RATE",
		Short: "Change how fast a campaign sends, while it runs",
		Long: `Rate changes the rate of a campaign, in recipients per second, all senders together. 0 means as fast as the SES
account allows. Senders keep to it within some two seconds. The next start of the campaign takes the rate of its
campaign.yaml again.`,
		Example: `  fanmail rate spring-sale 20
  fanmail rate spring-sale 0`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("%d arguments where two are wanted: fanmail %s", len(args), c.Use)
			}
			if _, err := parseRate(args[1]); err != nil {
				return err
			}
			return oneName(c, args[:1])
		},
		RunE: func(c *cobra.Command, args []string) error {
			rate, err := parseRate(args[1])
			if err != nil {
				return err
			}
			aws, err := p.open(c.Context(), deployment.ControlFunction)
			if err != nil {
				return err
			}
			if _, err := aws.Control(c.Context(), workflow.ControlInput{Action: workflow.ActionRate, Campaign: args[0], Rate: rate}); err != nil {
				return err
			}
			if rate == 0 {
				_, err = fmt.Fprintf(p.stdout, "%s sends as fast as the SES account allows\n", args[0])
			} else {
				_, err = fmt.Fprintf(p.stdout, "%s sends to %v recipients per second\n", args[0], rate)
			}
			return err
		},
	}
}

func parseRate(text string) (float64, error) {
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !campaign.ValidLiveRate(rate) {
		return 0, fmt.Errorf("rate %q: %s", text, campaign.LiveRateRule)
	}
	return rate, nil
}
