package local

import (
	"maps"
	"strconv"

	"fanmail/shared/deployment"
)

// accessKey is both halves of the credentials: nothing here checks a signature, but SDKs do not call without one.
const accessKey = "local"

// configurationSet is that of the deployment: SES publishes the events of messages that name one.
const configurationSet = "fanmail-local"

// EnvVar is an environment variable.
type EnvVar struct {
	Name, Value string
}

// Environment are the variables that make the AWS CLI, the SDKs and fanmail talk to the runtime, always in the same order.
func (r *Runtime) Environment() []EnvVar {
	return append(awsEnvironment(r.endpoint),
		EnvVar{"FANMAIL_BUCKET", BucketName},
		EnvVar{"FANMAIL_STATE_MACHINE_ARN", r.machineARN},
		EnvVar{"FANMAIL_CONTROL_FUNCTION", functionName + "control"},
		EnvVar{deployment.ScheduleGroup.Variable, scheduleGroup},
		EnvVar{deployment.ScheduleRole.Variable, "arn:aws:iam::" + Account + ":role/local-scheduler"},
		EnvVar{deployment.ScheduleDeadLetterQueue.Variable, r.endpoint + "/" + Account + "/ScheduleDeadLetterQueue"},
	)
}

func awsEnvironment(endpoint string) []EnvVar {
	return []EnvVar{
		{"AWS_ENDPOINT_URL", endpoint},
		{"AWS_REGION", Region},
		{"AWS_DEFAULT_REGION", Region},
		{"AWS_ACCESS_KEY_ID", accessKey},
		{"AWS_SECRET_ACCESS_KEY", accessKey},
	}
}

// functionEnvironment is what serverless.yml gives to a function, and what on AWS the service itself adds.
func (r *Runtime) functionEnvironment(f deployment.Function) map[string]string {
	environment := map[string]string{
		"DATABASE_URL":   r.role.url,
		"FANMAIL_BUCKET": BucketName,
	}
	if f.Key == migrateKey {
		environment["FANMAIL_CONNECTION_LIMIT"] = strconv.Itoa(r.ConnectionBound())
		if r.role.ours {
			environment["DATABASE_ADMIN_URL"] = r.databaseURL
		}
	}
	if f.Key == senderKey || f.Key == planKey {
		environment["FANMAIL_CONFIGURATION_SET"] = configurationSet
	}
	for _, v := range awsEnvironment(r.endpoint) {
		environment[v.Name] = v.Value
	}
	maps.Copy(environment, f.Environment)
	maps.Copy(environment, r.options.FunctionEnvironment)
	return environment
}
