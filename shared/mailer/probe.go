package mailer

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/uuid"

	"fanmail/shared/campaign"
)

// simulator is an address of Amazon's that takes every message. It counts neither for the daily quota nor for the reputation.
// https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
const simulator = "success@simulator.amazonses.com"

// Probe sends a message of the campaign to SES's mailbox simulator. Its event, when it arrives, shows that events of
// messages accepted until now arrive too. An error means that no event will come.
func Probe(ctx context.Context, ses SES, c campaign.Campaign, id uuid.UUID, configurationSet string) error {
	if c.ConfigurationSet != "" {
		configurationSet = c.ConfigurationSet
	}
	in := toSimulator(c.From, configurationSet, tag(TagCampaign, c.Name), tag(TagID, id.String()), tag(TagProbe, "1"))
	if _, err := ses.SendEmail(ctx, in); err != nil {
		return fmt.Errorf("sending a probe for campaign %s: %w", c.Name, err)
	}
	return nil
}

// Proof is a message of no campaign to SES's mailbox simulator. Its event, when it is in the ledger under id, proves that
// events of messages with this configuration set get there.
func Proof(from, configurationSet string, id uuid.UUID) *sesv2.SendEmailInput {
	return toSimulator(from, configurationSet, tag(TagProof, id.String()))
}

// toSimulator is a message to the mailbox simulator.
func toSimulator(from, configurationSet string, tags ...types.MessageTag) *sesv2.SendEmailInput {
	in := &sesv2.SendEmailInput{
		FromEmailAddress: &from,
		Destination:      &types.Destination{ToAddresses: []string{simulator}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: utf8("Fanmail probe"), Body: &types.Body{Text: utf8("Fanmail looks whether events of Amazon SES arrive.")},
		}},
		EmailTags: tags,
	}
	if configurationSet != "" {
		in.ConfigurationSetName = aws.String(configurationSet)
	}
	return in
}
