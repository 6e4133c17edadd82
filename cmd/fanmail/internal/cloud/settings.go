package cloud

import (
	"errors"
	"fmt"
)

// Settings says where the deployment is. The AWS SDK reads its own variables (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL ...)
// beside them.
type Settings struct {
	// Bucket holds the campaign folders, the work files and the reports.
	Bucket string
	// StateMachine is the ARN of the state machine that sends a campaign.
	StateMachine string
	// ControlFunction is the name or the ARN of the Lambda function that answers with the state of a campaign.
	ControlFunction string
}

// The environment variables of Settings.
const (
	bucketVariable       = "FANMAIL_BUCKET"
	stateMachineVariable = "FANMAIL_STATE_MACHINE_ARN"
	controlVariable      = "FANMAIL_CONTROL_FUNCTION"
)

// ReadSettings reads the variables through getenv. The error names all that are missing, a line each.
func ReadSettings(getenv func(string) string) (Settings, error) {
	var missing []error
	read := func(name, output string) string {
		value := getenv(name)
		if value == "" {
			missing = append(missing, fmt.Errorf("%s is not set: for the local runtime, copy the export lines that "+
				"`fanmail local` prints; for a deployment, it is the stack output %s", name, output))
		}
		return value
	}
	settings := Settings{
		Bucket:          read(bucketVariable, "Bucket"),
		StateMachine:    read(stateMachineVariable, "StateMachineArn"),
		ControlFunction: read(controlVariable, "ControlFunction"),
	}
	return settings, errors.Join(missing...)
}
