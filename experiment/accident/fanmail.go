package main

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"fanmail/experiment"
	"fanmail/local/lambda"
	"fanmail/shared/deployment"
)

// fanmailSender is the local name of Fanmail's sender function.
const fanmailSender = "fanmail-local-send"

// runFanmail mails the list with Fanmail as it is.
func runFanmail(ctx context.Context, o *options) (h Half, err error) {
	s, err := openStage(ctx, fanmailName, o)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	functions, err := deployment.Functions()
	if err != nil {
		return h, err
	}
	h, err = s.run(ctx, execution{
		client: sfn.NewFromConfig(experiment.ClientConfig(s.runtime.Endpoint())), machine: s.runtime.StateMachineARN(),
		input:   map[string]any{"campaign": campaignName},
		lambdas: []*lambda.Service{s.runtime.Lambda()}, sender: fanmailSender,
	})
	h.Bound = s.runtime.ConnectionBound()
	h.Senders = deployment.Senders(functions)
	return h, err
}
