// Package statemachine holds the one definition of the campaign's state machine. AWS runs it as serverless.yml deploys it,
// and so does the local runtime. Its tests hold the definition against the code of the Lambda functions.
package statemachine

import _ "embed"

// Definition is campaign.asl.json, in the Amazon States Language with JSONPath. A function is named by its key in
// shared/deployment/functions.yml, as {"Fn::GetAtt": [key, "Arn"]}.
//
//go:embed campaign.asl.json
var Definition []byte
